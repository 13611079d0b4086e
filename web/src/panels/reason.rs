//! The reason panel: why the block under the lens has its size.

use super::{bits, verdicts};
use crate::{
    scene::{Scene, Single},
    widgets::prose::told,
    words::{bypassed, count, sentence},
};
use std::rc::Rc;
use umem_core::{
    diagram::Stage,
    explain::{Cut, cut_at},
    memory::Kind,
    size::Bytes,
    table::{Policy, Refusal},
};
use yew::prelude::*;

/// What the reason panel is given.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// What is shown.
    pub scene: Rc<Scene>,
    /// The step under way.
    pub step: usize,
    /// The offset under the lens; `None` where there is no table.
    pub focus: Option<i64>,
    /// Whether somebody put the lens there.
    pub chosen: bool,
    /// Whether the reader has yet to predict.
    pub veiled: bool,
}

/// The reason panel.
#[component]
pub fn Reason(props: &Props) -> Html {
    if props.veiled {
        return html! {
            <section class="reason" aria-label="Reason">
                <h2>{ "Why?" }</h2>
                { told("", "Predict first. The reason comes with your answer.") }
            </section>
        };
    }
    let scene = &props.scene;
    let registration = scene.registration();
    let question = registration.question();
    let stage = scene.steps().get(props.step).map(|step| step.stage);
    let (title, body) = match (
        stage.filter(|_| !props.chosen),
        registration.table(),
        props.focus,
    ) {
        (Some(Stage::Pin), ..) => ("Pinning".to_owned(), pinning(scene)),
        (Some(Stage::Gather), ..) => ("Gathering".to_owned(), gathering(scene)),
        (Some(Stage::Map), ..) => ("Mapping".to_owned(), mapping(scene)),
        (_, Err(refusal), _) => (
            refusal
                .stopped_at()
                .map_or_else(|| "Why nothing?".into(), |stop| sentence(&stop)),
            refused(scene, refusal),
        ),
        (_, Ok(_), Some(focus)) if question.device().policy == Policy::Mixed => {
            let (from, to) = registration.pinned();
            let offset = entry_start(scene, focus).clamp(from as i64, to as i64 - 1) as u64;
            let cut = cut_at(&scene.index, offset);
            let title = cut.taken.map_or("Why nothing here?".into(), |size| {
                format!("Why {size} here?")
            });
            (title, explained(scene, &cut))
        }
        (_, Ok(table), _) => {
            let title = match table.page_size {
                Some(size) => format!("Why {size} everywhere?"),
                None => "Why these entries?".into(),
            };
            (title, limited(scene))
        }
    };
    html! {
        <section class="reason" aria-label="Reason">
            <h2>{ title }</h2>
            { body }
        </section>
    }
}

/// The cause and the way out; and what limits the size, if it came to that.
fn refused(scene: &Scene, refusal: &Refusal) -> Html {
    let way_out = Some(refusal.way_out()).filter(|way_out| !way_out.is_empty());
    html! {
        <>
            { told("", &format!("{}.", sentence(&refusal.cause()))) }
            if let Some(way_out) = way_out {
                { told("", &format!("What to do: {way_out}.")) }
            }
            // Where nothing was pinned, no size was chosen.
            if !matches!(refusal, Refusal::Stopped(_)) {
                { limited(scene) }
            }
        </>
    }
}

fn entry_start(scene: &Scene, focus: i64) -> i64 {
    scene
        .index
        .entries()
        .at(focus)
        .map_or(focus, |(run, i)| run.offset_of(i))
}

fn pinning(scene: &Scene) -> Html {
    let registration = scene.registration();
    let question = registration.question();
    let batches = scene.index.batches().count();
    match question.kind() {
        Kind::Pages => {}
        Kind::DmaBuf => {
            return told(
                "",
                "The memory belongs to another driver, which exports it as a dma-buf. The NIC's driver attaches to the buffer; nothing is \
                 pinned, and no limit on locked memory counts it.",
            );
        }
        Kind::Odp => {
            return told(
                "",
                "Nothing is pinned: a page is looked up when the NIC touches it, and the kernel may take it back. The frames below are those \
                 of this moment.",
            );
        }
    }
    told(
        "",
        &format!(
            "The kernel pins the {} that hold the region, so that they stay where they are while the NIC uses them. It asks for \
                 them in {}: one page of {} holds the pointers to 512 of them at most. What lies before the region's first page or \
                 after its last stays unpinned.",
            count(
                registration.pages(),
                &format!("page of {}", question.mr().page),
                &format!("pages of {}", question.mr().page)
            ),
            count(batches, "batch", "batches"),
            question.mr().page,
        ),
    )
}

fn gathering(scene: &Scene) -> Html {
    let registration = scene.registration();
    if registration.question().kind() == Kind::DmaBuf {
        return told(
            "",
            "The exporter lists its entries, in the sizes in which it keeps its memory. The NIC's driver gathers nothing.",
        );
    }
    told(
        "",
        &format!(
            "Pages whose frames are adjacent grow together into the largest contiguous runs, blind to alignment and to the \
                 device: {} become {}. This is the mail's second thought; it makes the shortest list and leaves the IOMMU free.",
            count(registration.pages(), "page", "pages"),
            count(registration.scatter_count(), "SG entry", "SG entries"),
        ),
    )
}

fn mapping(scene: &Scene) -> Html {
    let registration = scene.registration();
    let text = match (registration.mapping(), registration.dma_count()) {
        (_, Err(refusal)) => refusal.to_string(),
        (None, Ok(_)) => {
            let why = bypassed(registration.question());
            let off = || "There is no IOMMU in the way: the NIC uses physical addresses.".into();
            format!("{} Every alignment survives.", why.unwrap_or_else(off))
        }
        (Some(mapping), Ok(segments)) => format!(
            "The IOMMU lays the whole list out in one stretch of {} from {}, and merges what became adjacent: {}. Sizes survive \
             this, alignment does not: an address now ends in as many zero bits as its place in the stretch gives it.",
            Bytes(mapping.length),
            mapping.start,
            count(segments, "DMA segment", "DMA segments"),
        ),
    };
    told("", &text)
}

/// A block of a mixed table.
fn explained(scene: &Scene, cut: &Cut) -> Html {
    let sizes = scene.registration().question().device().page_sizes;
    html! {
        <div class="columns">
            <div>
                { bits::cut(cut, sizes) }
                { told("", &cut.text(sizes)) }
            </div>
            { verdicts::of_cut(cut) }
        </div>
    }
}

/// What limits a table of one size, or of unaligned segments.
fn limited(scene: &Scene) -> Html {
    // The last decided.
    let texts = scene
        .limits()
        .iter()
        .rev()
        .map(|limit| told("", &limit.text));
    let Some(Single {
        sizes,
        best,
        constraints,
    }) = scene.single()
    else {
        return texts.collect();
    };
    html! {
        <div class="columns">
            <div>
                if let Some(last) = constraints.last() {
                    { bits::constraint(last, *sizes, *best) }
                }
                { for texts }
            </div>
            { verdicts::of_single(*sizes, *best, constraints) }
        </div>
    }
}
