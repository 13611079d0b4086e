//! The picture: an element `<umem-split>` that the page leads.

use crate::{
    element::{Lead, Widget},
    player::Shown,
    state::{Action, Dispatch},
};
use wasm_bindgen::prelude::*;
use yew::prelude::*;

pub mod transport;

/// What the picture is called.
const LABEL: &str = "Lanes on one axis: virtual memory, physical frames, SG entries, DMA segments and device entries";

#[wasm_bindgen]
extern "C" {
    /// The element, of `web/element`.
    type UmemSplit;

    /// Shows what `widget` shows, and asks it for everything.
    #[wasm_bindgen(method)]
    fn follow(this: &UmemSplit, widget: Widget);

    /// Draws anew: what the widget shows has changed.
    #[wasm_bindgen(method)]
    fn refresh(this: &UmemSplit);
}

/// What the picture is given.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// What it shows.
    pub shown: Shown,
    /// Which of two pictures it is, if there are two.
    #[prop_or_default]
    pub name: AttrValue,
    /// Where motions and questions go.
    pub dispatch: Dispatch,
}

/// The picture.
#[component]
pub fn Picture(
    Props {
        shown,
        name,
        dispatch,
    }: &Props,
) -> Html {
    let node = use_node_ref();
    let held = use_mut_ref(|| shown.clone());
    {
        let (node, held) = (node.clone(), held.clone());
        let (label, dispatch) = (label(name), dispatch.clone());
        use_effect_with((), move |()| {
            let hears = Box::new(move |motion| dispatch.dispatch(Action::Move(motion)));
            if let Some(element) = element(&node) {
                element.follow(Widget::led(held, Lead { label, hears }));
            }
        });
    }
    use_effect_with((node.clone(), shown.clone()), move |(node, shown)| {
        held.replace(shown.clone());
        if let Some(element) = element(node) {
            element.refresh();
        }
    });
    html! { <umem-split class="picture" translate="no" ref={node} /> }
}

fn label(name: &str) -> String {
    match name {
        "" => LABEL.into(),
        name => format!("{name}: {LABEL}"),
    }
}

fn element(node: &NodeRef) -> Option<UmemSplit> {
    // It is no class that the browser has a name for.
    Some(node.get()?.unchecked_into())
}
