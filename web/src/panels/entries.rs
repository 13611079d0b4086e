//! The entries as a table, for screen readers and for copying.

use super::RARE;
use crate::{door::use_door, scene::Scene, words::grouped};
use std::rc::Rc;
use umem_core::{size::Bytes, table::EntryRun};
use wasm_bindgen::JsCast;
use web_sys::HtmlDetailsElement;
use yew::prelude::*;

/// The most rows that are shown.
const MOST: usize = 1000;

/// What the table is given.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Whose entries.
    pub scene: Rc<Scene>,
}

/// The entries as a table of runs, made when it is opened.
#[component]
pub fn EntryTable(Props { scene }: &Props) -> Html {
    let open = use_state_eq(|| false);
    let rare = use_door(&RARE, *open).filter(|_| *open);
    // What is refused has no entries, and its reason stands above.
    if scene.registration().table().is_err() {
        return html! { <p class="note entries">{ "There is no table of entries." }</p> };
    }
    let ontoggle = {
        let open = open.clone();
        Callback::from(move |event: Event| {
            let details = event
                .target()
                .and_then(|target| target.dyn_into::<HtmlDetailsElement>().ok());
            open.set(details.is_some_and(|details| details.open()));
        })
    };
    html! {
        <details class="entries" {ontoggle}>
            <summary>{ "Show as table" }</summary>
            if let Some(rare) = rare {
                { (rare.entries)(scene) }
            }
        </details>
    }
}

#[component]
pub(super) fn Rows(Props { scene }: &Props) -> Html {
    let runs = use_memo(scene.clone(), |scene| {
        scene
            .registration()
            .entries()
            .take(MOST + 1)
            .collect::<Vec<_>>()
    });
    let row = |run: &EntryRun| {
        html! {
            <tr>
                <td>{ signed(run.offset) }</td>
                <td>{ run.address.to_string() }</td>
                <td>{ Bytes(run.size).to_string() }</td>
                <td>{ grouped(run.count) }</td>
            </tr>
        }
    };
    html! {
        <div class="scroll" tabindex="0" role="region" aria-label="Entries">
            <table>
                <caption>{ "Runs of equal entries that follow one another. Offsets count from the beginning of the memory." }</caption>
                <thead>
                    <tr>
                        <th scope="col">{ "offset" }</th>
                        <th scope="col">{ "device address" }</th>
                        <th scope="col">{ "size" }</th>
                        <th scope="col">{ "count" }</th>
                    </tr>
                </thead>
                <tbody>{ for runs.iter().take(MOST).map(row) }</tbody>
            </table>
            if runs.len() > MOST {
                <p class="note">
                    { format!("These are the first {} runs. `umem plan --entries` prints all.", grouped(MOST as u64)) }
                </p>
            }
        </div>
    }
}

fn signed(offset: i64) -> String {
    let sign = if offset < 0 { "−" } else { "" };
    format!("{sign}{}", Bytes(offset.unsigned_abs()))
}
