//! What stands between memory and the device.

use super::{Props, text::hinted};
use crate::{
    state::{Action, Field},
    widgets::{
        prose::told,
        select::{Choice, Select},
    },
};
use umem_core::{iommu::CATALOGUE, scenario::IommuSpec};
use yew::prelude::*;

pub(super) fn iommu(props: &Props) -> Html {
    let off = Choice::new(IommuSpec::OFF, "off");
    let choices: Vec<_> = [off]
        .into_iter()
        .chain(
            CATALOGUE
                .iter()
                .map(|profile| Choice::new(profile.name, profile.title)),
        )
        .collect();
    let chosen = match &props.draft.iommu {
        IommuSpec::Name(name) => Some(name.clone()),
        IommuSpec::Custom(_) => None,
    };
    let custom = match &props.draft.iommu {
        IommuSpec::Custom(object) => match &object.name {
            Some(name) => format!("{name}, changed"),
            None => "Custom".into(),
        },
        IommuSpec::Name(_) => String::new(),
    };
    let typed = |action: fn(String) -> Action| {
        let dispatch = props.dispatch.clone();
        Callback::from(move |text| dispatch.dispatch(action(text)))
    };
    html! {
        <section>
            <Select
                label="IOMMU" heads=true
                {choices}
                {chosen}
                {custom}
                fault={props.fault(Field::Iommu)}
                onchange={typed(Action::Iommu)}
            />
            if let Some(why) = &props.bypassed {
                { told("note", why) }
            }
            // There in either case, so that what is below it stays where it is.
            { hinted(props, Field::Iova, "IOVA", props.texts.iova.as_deref(), "not mapped", Action::Iova) }
        </section>
    }
}
