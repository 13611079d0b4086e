//! What the page is, and which scene it shows.

use super::source::choose;
use crate::{
    app::Sends,
    controls::select::{Choice, Select},
    state::{Action, Dialog, Dispatch},
};
use umem_core::scenario::presets::PRESETS;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(super) struct Props {
    pub(super) preset: Option<&'static str>,
    /// Whether the story is open.
    pub(super) telling: bool,
    /// Whether two scenarios are shown.
    pub(super) comparing: bool,
    pub(super) dispatch: Dispatch,
}

#[component]
pub(super) fn Header(
    Props {
        preset,
        telling,
        comparing,
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
    html! {
        <header>
            <h1><img src="icon.svg" alt="" width="24" height="24" />{ "umem" }</h1>
            <p>{ "How a memory region becomes page-table entries in an RDMA NIC" }</p>
            <Select
                label="Preset"
                {choices}
                chosen={preset.map(str::to_owned)}
                {onchange}
            />
            <div class="tools">
                <button type="button" onclick={open}>{ "Open a file" }</button>
                <button
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
                    <button type="button" class="primary" onclick={dispatch.on(Action::Chapter(0))}>{ "Start the story" }</button>
                }
            </div>
        </header>
    }
}
