//! The fields on the left: every input of a scenario.

use crate::state::{Dispatch, Faults, Field, Texts};
use std::rc::Rc;
use umem_core::scenario::Scenario;
use yew::prelude::*;

mod device;
mod iommu;
mod json;
mod kernel;
mod memory;
mod region;
mod text;

/// What all groups of fields are given.
#[derive(Properties, PartialEq, Clone)]
pub struct Props {
    /// What the fields say.
    pub draft: Rc<Scenario>,
    /// What is typed into them.
    pub texts: Texts,
    /// What is wrong with them.
    pub faults: Rc<Faults>,
    /// Why the IOMMU maps nothing, if it does not.
    pub bypassed: Option<AttrValue>,
    /// Where edits go.
    pub dispatch: Dispatch,
}

impl Props {
    fn fault(&self, field: Field) -> Option<AttrValue> {
        self.faults
            .get(field)
            .map(|problem| AttrValue::from(problem.clone()))
    }
}

/// All groups of fields.
#[component]
pub fn Controls(props: &Props) -> Html {
    html! {
        <form class="controls" aria-label="Scenario" onsubmit={|event: SubmitEvent| event.prevent_default()}>
            { region::region(props) }
            { memory::memory(props) }
            { iommu::iommu(props) }
            { device::device(props) }
            { kernel::kernel(props) }
            <json::Json draft={props.draft.clone()} fault={props.fault(Field::Json)} dispatch={props.dispatch.clone()} />
        </form>
    }
}

/// The message of a field that is wrong, beside it.
fn message(id: &'static str, fault: Option<&AttrValue>) -> Html {
    match fault {
        Some(problem) => html! { <p class="fault" {id}>{ problem }</p> },
        None => Html::default(),
    }
}
