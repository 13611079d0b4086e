//! Whose rules.

use super::{
    Props,
    memory::{offered, size},
    text::hinted,
};
use crate::{
    state::{Action, Field},
    widgets::select::{Choice, Select},
};
use umem_core::kernel::GENERATIONS;
use yew::prelude::*;

/// The pages that kernels are built with.
const PAGES: [u32; 4] = [12, 14, 16, 18];

pub(super) fn kernel(props: &Props) -> Html {
    let kernel = &props.draft.kernel;
    let choices: Vec<_> = GENERATIONS
        .iter()
        .rev()
        .map(|rules| Choice::new(rules.name, format!("Linux {}", rules.name)))
        .collect();
    let rules = {
        let dispatch = props.dispatch.clone();
        Callback::from(move |name| dispatch.dispatch(Action::Kernel(name)))
    };
    let (chosen, custom) = match &kernel.release {
        None => (Some(kernel.rules.clone()), String::new()),
        Some(release) => (None, format!("Linux {release}")),
    };
    let page = {
        let dispatch = props.dispatch.clone();
        Callback::from(move |name: String| {
            if let Some(size) = size(&name) {
                dispatch.dispatch(Action::KernelPage(size));
            }
        })
    };
    html! {
        <section>
            <Select label="Kernel" heads=true {choices} {chosen} {custom} onchange={rules} />
            { hinted(props, Field::Release, "Kernel release", Some(&props.texts.release), "uname -r", Action::Release) }
            <Select
                label="Kernel page"
                choices={offered(&PAGES, kernel.page_size)}
                chosen={Some(kernel.page_size.to_string())}
                fault={props.fault(Field::Kernel)}
                onchange={page}
            />
        </section>
    }
}
