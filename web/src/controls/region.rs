//! What is registered.

use super::{
    Props,
    text::{hinted, text},
};
use crate::state::{Action, Field};
use yew::prelude::*;

pub(super) fn region(props: &Props) -> Html {
    let texts = &props.texts;
    html! {
        <section>
            <h2>{ "Region" }</h2>
            { text(props, Field::Offset, "Start offset", &texts.offset, Action::Offset) }
            { text(props, Field::Length, "Length", &texts.length, Action::Length) }
            { hinted(props, Field::Hca, "NIC address", Some(&texts.hca), "as virtual", Action::Hca) }
        </section>
    }
}
