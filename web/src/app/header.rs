//! What the page is, and which scene it shows.

use super::{
    later::{Later, cases, paste},
    source::choose,
};
use crate::{
    state::{Action, Dialog, Dispatch, Sends},
    widgets::select::{Choice, Select},
};
use gloo::utils::document;
use umem_core::scenario::presets::PRESETS;
use web_sys::HtmlElement;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(super) struct Props {
    pub(super) build: AttrValue,
    pub(super) preset: Option<&'static str>,
    /// Whether the story is open.
    pub(super) telling: bool,
    /// Whether two scenarios are shown.
    pub(super) comparing: bool,
    /// What is loaded when somebody asks for it.
    pub(super) later: Later,
    pub(super) dispatch: Dispatch,
}

#[component]
pub(super) fn Header(
    Props {
        build,
        preset,
        telling,
        comparing,
        later,
        dispatch,
    }: &Props,
) -> Html {
    let choices: Vec<_> = PRESETS
        .iter()
        .map(|preset| Choice::new(preset.name, preset.title))
        .collect();
    let onchange = {
        let dispatch = dispatch.clone();
        Callback::from(move |name: String| {
            if let Some(preset) = PRESETS.iter().find(|preset| preset.name == name) {
                dispatch.dispatch(Action::Preset(preset.name));
            }
        })
    };
    let open = {
        let dispatch = dispatch.clone();
        Callback::from(move |_: MouseEvent| choose(&dispatch))
    };
    let ask = |about: fn(&Later, &Dispatch)| {
        let (later, dispatch) = (later.clone(), dispatch.clone());
        Callback::from(move |_: MouseEvent| about(&later, &dispatch))
    };
    let (start, compare) = (use_node_ref(), use_node_ref());
    use_return(*telling, start.clone());
    use_return(*comparing, compare.clone());
    html! {
        <header>
            <h1><img src={format!("icon.svg?b={build}")} alt="" width="24" height="24" />{ "umem" }</h1>
            <p>{ "How a memory region becomes page-table entries in an RDMA NIC" }</p>
            <Select
                label="Preset"
                {choices}
                chosen={preset.map(str::to_owned)}
                {onchange}
            />
            <div class="tools">
                <button type="button" onclick={ask(cases)}>{ "Cases" }</button>
                <button type="button" onclick={open}>{ "Open a file" }</button>
                <button type="button" onclick={ask(paste)}>{ "Paste" }</button>
                <button
                    ref={compare}
                    type="button"
                    aria-pressed={if *comparing { "true" } else { "false" }}
                    onclick={dispatch.on(Action::Compare(!comparing))}
                >
                    { "Compare" }
                </button>
                <button type="button" onclick={dispatch.on(Action::Dialog(Some(Dialog::Share)))}>{ "Share" }</button>
                <button type="button" onclick={dispatch.on(Action::Dialog(Some(Dialog::Help)))}>{ "Keys" }</button>
                <a href="book/">{ "Book" }</a>
                if !telling {
                    <button ref={start} type="button" class="primary" onclick={dispatch.on(Action::Chapter(0))}>{ "Start the story" }</button>
                }
            </div>
        </header>
    }
}

/// Puts the focus on what `on` was switched on by, when it is off again and the button that did so is gone.
#[hook]
fn use_return(on: bool, button: NodeRef) {
    let was = use_mut_ref(|| on);
    use_effect_with(on, move |on| {
        let ended = was.replace(*on) && !on;
        let lost = document().active_element() == document().body().map(Into::into);
        if let Some(button) = button.cast::<HtmlElement>().filter(|_| ended && lost) {
            // What cannot be focused is not there, and nothing is lost by it.
            let _ = button.focus();
        }
    });
}
