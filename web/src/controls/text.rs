//! A text field with its label, applied as one types.

use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(super) struct Props {
    pub(super) label: AttrValue,
    pub(super) value: AttrValue,
    /// What is wrong with it.
    pub(super) fault: Option<AttrValue>,
    /// Told what stands in it at every keystroke.
    pub(super) oninput: Callback<String>,
}

#[component]
pub(super) fn Text(props: &Props) -> Html {
    let id = format!("text-{}", props.label.to_lowercase().replace(' ', "-"));
    let fault_id = format!("{id}-fault");
    let oninput = {
        let tell = props.oninput.clone();
        Callback::from(move |event: InputEvent| {
            let input = event
                .target()
                .and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
            if let Some(input) = input {
                tell.emit(input.value());
            }
        })
    };
    html! {
        <div class="field">
            <label for={id.clone()}>{ &props.label }</label>
            <input
                type="text"
                {id}
                value={&props.value}
                {oninput}
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                aria-invalid={props.fault.is_some().then_some("true")}
                aria-describedby={props.fault.is_some().then(|| fault_id.clone())}
            />
            if let Some(problem) = &props.fault {
                <p class="fault" id={fault_id}>{ problem }</p>
            }
        </div>
    }
}
