//! A text field with its label, applied as one types.

use super::Props;
use crate::state::{Action, Field};
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// The field `label` of `props`, which holds `value`; what is typed into it is `action`.
pub(super) fn text(
    props: &Props,
    field: Field,
    label: &'static str,
    value: &str,
    action: fn(String) -> Action,
) -> Html {
    hinted(props, field, label, Some(value), "", action)
}

/// The same, with a `hint` of what it means when it is empty; it cannot be used where it holds nothing.
pub(super) fn hinted(
    props: &Props,
    field: Field,
    label: &'static str,
    value: Option<&str>,
    hint: &'static str,
    action: fn(String) -> Action,
) -> Html {
    let fault = props.fault(field);
    // The field's name is an id as it is, but for its blanks.
    let id = format!("text-{}", label.replace(' ', "-"));
    let fault_id = format!("{id}-fault");
    let dispatch = props.dispatch.clone();
    let oninput = Callback::from(move |event: InputEvent| {
        let input = event
            .target()
            .and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
        if let Some(input) = input {
            dispatch.dispatch(action(input.value()));
        }
    });
    html! {
        <div class="field">
            <label for={id.clone()}>{ label }</label>
            <input
                type="text"
                {id}
                value={value.unwrap_or_default().to_owned()}
                disabled={value.is_none()}
                {oninput}
                placeholder={(!hint.is_empty()).then_some(hint)}
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                aria-invalid={fault.is_some().then_some("true")}
                aria-describedby={fault.is_some().then(|| fault_id.clone())}
            />
            if let Some(problem) = fault {
                <p class="fault" id={fault_id}>{ problem }</p>
            }
        </div>
    }
}
