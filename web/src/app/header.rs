//! What the page is, and which scene it shows.

use crate::{
    app::Sends,
    controls::select::{Choice, Select},
    state::{Action, Dispatch},
};
use umem_core::scenario::presets::PRESETS;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(super) struct Props {
    pub(super) preset: Option<&'static str>,
    pub(super) dispatch: Dispatch,
}

#[component]
pub(super) fn Header(Props { preset, dispatch }: &Props) -> Html {
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
            <button type="button" onclick={dispatch.on(Action::Keys(true))}>{ "Keys" }</button>
        </header>
    }
}
