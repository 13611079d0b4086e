//! What stands before the page until it is closed.

use crate::state::{Action, Dispatch, Sends};
use web_sys::HtmlDialogElement;
use yew::prelude::*;

/// What a dialog is given.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// The id of its title, which is one of a kind.
    pub id: &'static str,
    /// Its title.
    pub title: AttrValue,
    /// Whether it is shown.
    pub open: bool,
    /// Where closing goes.
    pub dispatch: Dispatch,
    /// What it holds.
    pub children: Html,
}

/// A dialog with a title and a button that closes it.
#[component]
pub fn Modal(props: &Props) -> Html {
    let node = use_node_ref();
    use_effect_with((node.clone(), props.open), |(node, open)| {
        if let Some(dialog) = node.cast::<HtmlDialogElement>() {
            match open {
                // Refused only by a dialog that is open already.
                true if !dialog.open() => _ = dialog.show_modal(),
                false if dialog.open() => dialog.close(),
                _ => {}
            }
        }
    });
    let close = props.dispatch.on(Action::Dialog(None));
    html! {
        <dialog ref={node} aria-labelledby={props.id} onclose={props.dispatch.on::<Event>(Action::Dialog(None))}>
            <h2 id={props.id}>{ &props.title }</h2>
            { props.children.clone() }
            <button type="button" class="primary" onclick={close}>{ "Close" }</button>
        </dialog>
    }
}
