//! What backs the region.

use super::{Props, message, text::text};
use crate::{
    state::{Action, Field},
    widgets::select::{Choice, Select},
};
use umem_core::{
    memory::Kind,
    scenario::LayoutName,
    size::{Bytes, PageSize, PageSizes},
};
use yew::prelude::*;

/// The pages that CPUs of Linux have.
const PAGES: [u32; 8] = [12, 14, 16, 20, 21, 25, 29, 30];

/// The sizes that are offered, and `present` if it is none of them.
pub(super) fn offered(sizes: &[u32], present: Bytes) -> Vec<Choice> {
    let known = sizes.iter().filter_map(|log2| PageSize::from_log2(*log2));
    let all: PageSizes = known.chain(PageSize::new(present.0)).collect();
    all.iter()
        .map(|size| Choice::new(size.to_string(), size.to_string()))
        .collect()
}

/// The size of that name.
pub(super) fn size(name: &str) -> Option<PageSize> {
    name.parse::<Bytes>()
        .ok()
        .and_then(|bytes| PageSize::new(bytes.0))
}

pub(super) fn memory(props: &Props) -> Html {
    let memory = &props.draft.memory;
    let present = memory.page_size.unwrap_or(props.draft.kernel.page_size);
    let pages = {
        let dispatch = props.dispatch.clone();
        Callback::from(move |name: String| {
            if let Some(size) = size(&name) {
                dispatch.dispatch(Action::Pages(size));
            }
        })
    };
    let layout = {
        let dispatch = props.dispatch.clone();
        Callback::from(move |name: String| {
            if let Some(layout) = LayoutName::ALL
                .into_iter()
                .find(|layout| layout.name() == name)
            {
                dispatch.dispatch(Action::Layout(layout));
            }
        })
    };
    let kind = {
        let dispatch = props.dispatch.clone();
        Callback::from(move |name: String| {
            if let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.name() == name) {
                dispatch.dispatch(Action::Kind(kind));
            }
        })
    };
    let titled = |kind: Kind| {
        let what = match kind {
            Kind::Pages => "of the process",
            Kind::DmaBuf => "of another device",
            Kind::Odp => "on demand",
        };
        Choice::new(kind.name(), format!("{} ({what})", kind.name()))
    };
    let kinds: Vec<_> = Kind::ALL.into_iter().map(titled).collect();
    let layouts: Vec<_> = LayoutName::ALL
        .into_iter()
        .map(|layout| Choice::new(layout.name(), layout.name()))
        .collect();
    let own = match &memory.extents {
        Some(extents) => format!("{} extents", extents.len()),
        None => "Custom".into(),
    };
    let fault = props.fault(Field::Memory);
    html! {
        <section>
            <Select
                label="Memory" heads=true
                choices={kinds}
                chosen={Some(memory.kind.name().to_owned())}
                onchange={kind}
            />
            <Select
                label="Pages"
                choices={offered(&PAGES, present)}
                chosen={memory.extents.is_none().then(|| present.to_string())}
                custom="as captured"
                onchange={pages}
            />
            <Select
                label="Layout"
                choices={layouts}
                chosen={memory.layout.map(|layout| layout.name().to_owned())}
                custom={own}
                onchange={layout}
            />
            { message("memory-fault", fault.as_ref()) }
            if let Some(start) = &props.texts.start {
                { text(props, Field::Start, "Frames at", start, Action::Start) }
            }
        </section>
    }
}
