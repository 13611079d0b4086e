//! The whole scenario in its own format: what no field of the page reaches can be written here.

use crate::{
    door::{door, use_door},
    more::MORE,
    state::{Action, Dispatch},
    words::pretty,
};
use std::rc::Rc;
use umem_core::scenario::Scenario;
use wasm_bindgen::JsCast;
use web_sys::{HtmlDetailsElement, HtmlTextAreaElement};
use yew::prelude::*;

/// More extents than this are no reading, and are left to files.
const MOST_EXTENTS: usize = 1000;

#[derive(Properties, PartialEq, Clone)]
pub(super) struct Props {
    pub(super) draft: Rc<Scenario>,
    pub(super) fault: Option<AttrValue>,
    pub(super) dispatch: Dispatch,
}

/// The scenario as JSON, made when it is opened.
#[component]
pub(super) fn Json(props: &Props) -> Html {
    let open = use_state_eq(|| false);
    let ontoggle = {
        let open = open.clone();
        Callback::from(move |event: Event| {
            let details = event.target_dyn_into::<HtmlDetailsElement>();
            open.set(details.is_some_and(|details| details.open()));
        })
    };
    // What is written is read by more than the text itself.
    let more = use_door(&MORE, *open);
    let text = use_door(&TEXT, *open).filter(|_| *open && more.is_some());
    html! {
        <details class="json" {ontoggle}>
            <summary>{ "Edit as JSON" }</summary>
            if let Some(text) = text {
                { text(props) }
            }
        </details>
    }
}

door! {
    /// The text.
    TEXT, load_text: fn(&Props) -> Html = (text as fn(&Props) -> Html)
}

fn text(props: &Props) -> Html {
    html! { <Text ..props.clone() /> }
}

#[component]
fn Text(props: &Props) -> Html {
    let node = use_node_ref();
    let extents = props
        .draft
        .memory
        .extents
        .as_ref()
        .map_or(0, |extents| extents.len());
    // While somebody writes, the text is theirs; when it changes elsewhere, it follows.
    use_effect_with((node.clone(), props.draft.clone()), move |(node, draft)| {
        let Some(area) = node
            .cast::<HtmlTextAreaElement>()
            .filter(|_| extents <= MOST_EXTENTS)
        else {
            return;
        };
        let written = Scenario::from_json(area.value().as_bytes());
        if written.ok().as_ref() != Some(&**draft) && !focused(&area) {
            area.set_value(&pretty(draft.to_json()));
        }
    });
    let oninput = {
        let dispatch = props.dispatch.clone();
        Callback::from(move |event: InputEvent| {
            if let Some(area) = event.target_dyn_into::<HtmlTextAreaElement>() {
                dispatch.dispatch(Action::Json(area.value()));
            }
        })
    };
    if extents > MOST_EXTENTS {
        return html! { <p class="note">{ format!("{extents} extents are too many to edit here.") }</p> };
    }
    html! {
        <>
            <label for="json" class="note">{ "The scenario as JSON, applied as you type" }</label>
            <textarea
                ref={node}
                id="json"
                rows="16"
                spellcheck="false"
                {oninput}
                aria-invalid={props.fault.is_some().then_some("true")}
                aria-describedby={props.fault.is_some().then_some("json-fault")}
            />
            if let Some(problem) = &props.fault {
                <p class="fault" id="json-fault">{ problem }</p>
            }
        </>
    }
}

fn focused(area: &HtmlTextAreaElement) -> bool {
    let active = gloo::utils::document().active_element();
    active.is_some_and(|active| &active == area.unchecked_ref::<web_sys::Element>())
}
