//! The list of keys.

use crate::{
    app::Sends,
    state::{Action, Dispatch},
};
use web_sys::HtmlDialogElement;
use yew::prelude::*;

/// What the list is given.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Whether it is shown.
    pub open: bool,
    /// Where closing goes.
    pub dispatch: Dispatch,
}

const KEYS: [(&str, &str); 7] = [
    ("Space", "play or pause"),
    ("← →", "a step back or on"),
    ("Home", "restart"),
    ("+ −", "zoom in or out, around the lens"),
    ("0", "show all"),
    ("?", "this list"),
    ("Esc", "close it"),
];

/// The list of keys, as a dialog.
#[component]
pub fn Keys(Props { open, dispatch }: &Props) -> Html {
    let node = use_node_ref();
    use_effect_with((node.clone(), *open), |(node, open)| {
        if let Some(dialog) = node.cast::<HtmlDialogElement>() {
            match open {
                // Refused only by a dialog that is open already.
                true if !dialog.open() => _ = dialog.show_modal(),
                false if dialog.open() => dialog.close(),
                _ => {}
            }
        }
    });
    html! {
        <dialog ref={node} aria-labelledby="keys-title" onclose={dispatch.on::<Event>(Action::Keys(false))}>
            <h2 id="keys-title">{ "Keys, while the picture has focus" }</h2>
            <dl class="keys">
                { for KEYS.iter().map(|(key, what)| html! { <div><dt><kbd>{ *key }</kbd></dt><dd>{ *what }</dd></div> }) }
            </dl>
            <p class="note">{ "Ctrl and the wheel zoom, Shift and the wheel or a drag move the picture. A click on an entry puts the lens there." }</p>
            <button type="button" class="primary" onclick={dispatch.on(Action::Keys(false))}>{ "Close" }</button>
        </dialog>
    }
}
