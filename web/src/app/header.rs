//! What the page is, and which scene it shows.

use super::{
    later::{Asking, Later, ask},
    source::choose,
};
use crate::{
    state::{Action, Dialog, Dispatch, Sends},
    widgets::{
        focus::use_return,
        select::{Choice, Select},
    },
};
use umem_core::scenario::presets::PRESETS;
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
    let asked = |which: fn(&Asking) -> fn(Later, Dispatch)| {
        let (later, dispatch) = (later.clone(), dispatch.clone());
        Callback::from(move |_: MouseEvent| ask(which, &later, &dispatch))
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
                <button type="button" onclick={asked(|asking| asking.cases)}>{ "Cases" }</button>
                <button type="button" onclick={open}>{ "Open a file" }</button>
                <button type="button" onclick={asked(|asking| asking.paste)}>{ "Paste" }</button>
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
