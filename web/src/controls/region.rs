//! What is registered.

use super::{Props, text::Text};
use crate::state::{Action, Field};
use yew::prelude::*;

#[component]
pub(super) fn Region(props: &Props) -> Html {
    let typed = |action: fn(String) -> Action| {
        let dispatch = props.dispatch.clone();
        Callback::from(move |text| dispatch.dispatch(action(text)))
    };
    html! {
        <section>
            <h2>{ "Region" }</h2>
            <Text
                label="Start offset"
                value={props.texts.offset.clone()}
                fault={props.fault(Field::Offset)}
                oninput={typed(Action::Offset)}
            />
            <Text
                label="Length"
                value={props.texts.length.clone()}
                fault={props.fault(Field::Length)}
                oninput={typed(Action::Length)}
            />
        </section>
    }
}
