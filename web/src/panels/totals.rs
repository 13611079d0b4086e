//! The totals, and the same region under the other policies.

use super::{RARE, advice::Advice, exhibits::Exhibits, gates::gates, ways::ways};
use crate::{
    door::use_door,
    many::Many,
    scene::Scene,
    state::{Dispatch, Tried},
    widgets::{terms, thousands},
    words::grouped,
};
use gloo::timers::callback::Timeout;
use std::rc::Rc;
use umem_core::{kernel::Certainty, registration::Registration, table::Refusal};
use yew::prelude::*;

/// What the totals are given.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// What is counted.
    pub scene: Rc<Scene>,
    /// The set that it is a registration of, if it is.
    pub many: Option<Rc<Many>>,
    /// Whether what the mail's own code does is what the scene is about.
    pub exhibits: bool,
    /// Whether the reader has yet to predict.
    pub veiled: bool,
    /// Whether the fields say something else by now, which is wrong.
    pub stale: bool,
    /// The advice that was followed last.
    pub tried: Option<Tried>,
    /// Where "Try it" goes.
    pub dispatch: Dispatch,
}

/// The totals.
#[component]
pub fn Totals(
    Props {
        scene,
        many,
        exhibits,
        veiled,
        stale,
        tried,
        dispatch,
    }: &Props,
) -> Html {
    let worked_out = use_worked_out(scene);
    let rare = use_door(&RARE, many.is_some());
    if *veiled {
        return html! {
            <aside class="totals" aria-label="Totals">
                <section>
                    <h2>{ "Device entries" }</h2>
                    <p class="status" role="status"><b>{ "?" }</b>{ "Predict first: the total comes with your answer." }</p>
                </section>
            </aside>
        };
    }
    let registration = scene.registration();
    html! {
        <aside class="totals" aria-label="Totals">
            if let Some((rare, many)) = rare.zip(many.as_ref()) {
                { (rare.set)(many, dispatch) }
            }
            <section>
                if many.is_some() {
                    <h2>{ format!("Registration {}", many.as_ref().map_or(0, |many| many.seen + 1)) }</h2>
                    <p class={classes!(registration.table().is_err().then_some("bug"))}>{ registration.status() }</p>
                } else {
                    <h2>{ "Device entries" }</h2>
                    { status(&registration.status(), registration.table().is_ok()) }
                }
                if *stale {
                    <p class="bug">{ "A field is wrong. This is the last scenario that was right." }</p>
                }
                { for bugs(registration) }
                { numbers(scene) }
            </section>
            { gates(scene) }
            if worked_out && !is_stopped(registration) {
                <section>
                    <h2>{ "The same region, other ways" }</h2>
                    { ways(scene) }
                </section>
            }
            // What helps one of many is told of all of them.
            if worked_out && many.is_none() {
                <Advice scene={scene.clone()} tried={tried.clone()} dispatch={dispatch.clone()} />
            }
            if !is_stopped(registration) {
                <Exhibits scene={scene.clone()} open={*exhibits} />
            }
            <section>
                <h2>{ "How sure" }</h2>
                { sure(scene, worked_out) }
            </section>
        </aside>
    }
}

/// What is known of the kernel, if that is not all, and who says that the rules are so.
fn sure(scene: &Scene, worked_out: bool) -> Html {
    let question = scene.registration().question();
    let possible = match worked_out {
        true => scene.possible(),
        false => &[],
    };
    let evidence = scene.registration().evidence();
    let kernel = question.kernel();
    html! {
        <>
            if kernel.certainty != Certainty::Exact {
                <p class="note">{ format!("{}.", kernel.text()) }</p>
                <ul class="evidence">
                    { for possible.iter().map(|(rules, status)| html! {
                        <li>{ format!("By the rules of {rules}: {status}") }</li>
                    }) }
                </ul>
            }
            <p class="note">{ scene.registration().how_sure() }</p>
            <ul class="evidence">
                { for evidence.iter().map(|line| html! {
                    <li><b>{ line.stage }</b>{ ": " }{ line.by.name() }{ ", " }{ &line.text }</li>
                }) }
            </ul>
        </>
    }
}

/// Whether the region is refused before anything is made of it.
fn is_stopped(registration: &Registration) -> bool {
    matches!(registration.table(), Err(Refusal::Stopped(_)))
}

/// Numbers of more digits are set smaller, so that they stay in one piece.
const ROOMY: usize = 6;

/// The status line: one sentence, whose number stands out.
pub(super) fn status(text: &str, is_number: bool) -> Html {
    let digits = text.find(' ').unwrap_or(0);
    let (number, rest) = text.split_at(digits);
    if !is_number {
        return html! { <p class="status refused" role="status">{ text }</p> };
    }
    html! {
        <p class="status" role="status">
            <b class={classes!((digits > ROOMY).then_some("long"))}>{ thousands(number) }</b>
            { for terms(rest) }
        </p>
    }
}

fn numbers(scene: &Scene) -> Html {
    let registration = scene.registration();
    let row = |name: &'static str, value: String| html! { <div><dt>{ name }</dt><dd>{ value }</dd></div> };
    let kind = registration.question().kind();
    let pages = match kind.unpinned() {
        None => "pinned pages",
        Some(_) => "pages, not pinned",
    };
    let [_, entries] = kind.entries();
    html! {
        <dl class="numbers">
            if let Ok(table) = registration.table() {
                { row("bytes of table", grouped(table.bytes)) }
            }
            if !is_stopped(registration) {
                { row(pages, grouped(registration.pages())) }
                { row(entries, grouped(registration.scatter_count())) }
                if let Ok(count) = registration.dma_count() {
                    { row("DMA segments", grouped(count)) }
                }
                if let Some(count) = scene.io_entries() {
                    { row("IOMMU entries", grouped(count)) }
                }
            }
        </dl>
    }
}

/// Long enough for a browser to show the picture first, in milliseconds.
const PICTURE_FIRST: u32 = 50;

/// Whether what takes long may be worked out: at once for most scenes, for long ones once their picture is there.
#[hook]
fn use_worked_out(scene: &Rc<Scene>) -> bool {
    let shown = use_state_eq(|| None::<Rc<Scene>>);
    let set = shown.setter();
    use_effect_with(scene.clone(), move |scene| {
        let wait = scene.is_long().then(|| {
            let scene = scene.clone();
            Timeout::new(PICTURE_FIRST, move || set.set(Some(scene)))
        });
        move || drop(wait)
    });
    !scene.is_long() || shown.as_ref() == Some(scene)
}

/// What kernel and driver get wrong.
fn bugs(registration: &Registration) -> impl Iterator<Item = Html> {
    let (kernel, driver) = match registration.table() {
        Ok(table) => (table.kernel_bug.as_ref(), table.driver_bug.as_ref()),
        // Its message says what the driver gets wrong.
        Err(refusal) => (refusal.kernel_bug(), None),
    };
    let kernel = kernel.map(|bug| ("Kernel bug. ", bug.to_string()));
    let driver = driver.map(|bug| ("Driver bug. ", bug.to_string()));
    let told = |(what, bug)| html! { <p class="bug"><b>{ what }</b>{ bug }</p> };
    kernel.into_iter().chain(driver).map(told)
}
