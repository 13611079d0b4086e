//! What the browser says about where the picture stands: its width, the theme, whether motion is welcome.

use gloo::{events::EventListener, utils::window};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, MediaQueryList, ResizeObserver};
use yew::prelude::*;

/// The width of an element in pixels, kept up to date; 0 before it is known.
#[hook]
pub(super) fn use_width(node: NodeRef) -> f64 {
    let width = use_state_eq(|| 0.0);
    let set = width.setter();
    use_effect_with(node, move |node| {
        let observed = node.cast::<Element>().and_then(|element| {
            let seen = element.clone();
            set.set(f64::from(seen.client_width()));
            let changed =
                Closure::<dyn FnMut()>::new(move || set.set(f64::from(seen.client_width())));
            let observer = ResizeObserver::new(changed.as_ref().unchecked_ref()).ok()?;
            observer.observe(&element);
            Some((observer, changed))
        });
        move || {
            if let Some((observer, _)) = observed {
                observer.disconnect();
            }
        }
    });
    *width
}

/// Whether the dark theme is wanted.
#[hook]
pub(super) fn use_dark() -> bool {
    use_media("(prefers-color-scheme: dark)")
}

/// Whether the colours are the reader's own.
#[hook]
pub(super) fn use_forced() -> bool {
    use_media("(forced-colors: active)")
}

/// Whether things should stand still.
#[hook]
pub(super) fn use_still() -> bool {
    use_media("(prefers-reduced-motion: reduce)")
}

#[hook]
fn use_media(query: &'static str) -> bool {
    let list = use_memo((), |()| window().match_media(query).ok().flatten());
    let matches =
        |list: &Option<MediaQueryList>| list.as_ref().is_some_and(MediaQueryList::matches);
    let state = use_state_eq(|| matches(&list));
    let set = state.setter();
    use_effect_with((), move |()| {
        let listener = list.as_ref().clone().map(|list| {
            let asked = list.clone();
            EventListener::new(&list, "change", move |_| set.set(asked.matches()))
        });
        move || drop(listener)
    });
    *state
}
