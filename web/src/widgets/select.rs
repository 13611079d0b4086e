//! A native select with its label.

use wasm_bindgen::JsCast;
use web_sys::HtmlSelectElement;
use yew::prelude::*;

/// An option: its name in the formats, and what people call it.
#[derive(Clone, PartialEq, Debug)]
pub struct Choice {
    name: AttrValue,
    title: AttrValue,
}

impl Choice {
    /// An option.
    pub fn new(name: impl Into<AttrValue>, title: impl Into<AttrValue>) -> Self {
        Self {
            name: name.into(),
            title: title.into(),
        }
    }
}

/// What a select is given.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Its accessible name.
    pub label: AttrValue,
    /// Its options.
    pub choices: Vec<Choice>,
    /// Which of them is chosen; none of them, but "custom", if `None`.
    pub chosen: Option<String>,
    /// What "custom" is called.
    #[prop_or(AttrValue::Static("Custom"))]
    pub custom: AttrValue,
    /// Whether its label is the heading of a group.
    #[prop_or_default]
    pub heads: bool,
    /// What is wrong with it.
    #[prop_or_default]
    pub fault: Option<AttrValue>,
    /// Told the name of the option that is chosen.
    pub onchange: Callback<String>,
}

/// The name of the option of everything that has no name.
pub const CUSTOM: &str = "custom";

/// A native select with its label.
#[component]
pub fn Select(props: &Props) -> Html {
    let id = format!("select-{}", props.label.replace(' ', "-"));
    let fault_id = format!("{id}-fault");
    let node = use_node_ref();
    let chosen = props.chosen.clone().unwrap_or_else(|| CUSTOM.into());
    // Which option is chosen is the element's own state, which options that come and go disturb.
    use_effect_with(
        (node.clone(), chosen.clone(), props.choices.len()),
        |(node, chosen, _)| {
            if let Some(select) = node.cast::<HtmlSelectElement>() {
                select.set_value(chosen);
            }
        },
    );
    let onchange = {
        let tell = props.onchange.clone();
        Callback::from(move |event: Event| {
            let select = event
                .target()
                .and_then(|target| target.dyn_into::<HtmlSelectElement>().ok());
            if let Some(name) = select
                .map(|select| select.value())
                .filter(|name| name != CUSTOM)
            {
                tell.emit(name);
            }
        })
    };
    html! {
        <div class={classes!("field", props.heads.then_some("headed"))}>
            if props.heads {
                <h2><label for={id.clone()}>{ &props.label }</label></h2>
            } else {
                <label for={id.clone()}>{ &props.label }</label>
            }
            <select
                ref={node}
                {id}
                {onchange}
                aria-invalid={props.fault.is_some().then_some("true")}
                aria-describedby={props.fault.is_some().then(|| fault_id.clone())}
            >
                if props.chosen.is_none() {
                    <option value={CUSTOM} selected=true>{ &props.custom }</option>
                }
                { for props.choices.iter().map(|choice| html! {
                    <option value={&choice.name} selected={chosen == *choice.name}>{ &choice.title }</option>
                }) }
            </select>
            if let Some(problem) = &props.fault {
                <p class="fault" id={fault_id}>{ problem }</p>
            }
        </div>
    }
}
