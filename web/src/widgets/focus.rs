//! Where the focus goes when a button is gone by its own press.

use gloo::utils::document;
use web_sys::HtmlElement;
use yew::prelude::*;

/// Puts the focus on what `on` was switched on by, when it is off again and the button that did so is gone.
#[hook]
pub fn use_return(on: bool, button: NodeRef) {
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
