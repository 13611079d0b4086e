//! The same region under the other policies.

use crate::{
    scene::Scene,
    words::{grouped, percent, policy as title},
};
use umem_core::{
    registration::Table,
    table::{Policy, Refusal},
};
use yew::prelude::*;

/// The policies side by side, and what one entry a page would take.
pub(super) fn ways(scene: &Scene) -> Html {
    let registration = scene.registration();
    let present = registration.question().device().policy;
    let pages = registration.pages();
    let totals = scene
        .policies()
        .iter()
        .filter_map(|(_, table)| table.as_ref().ok());
    let most = totals
        .map(|table| table.total)
        .chain([pages])
        .max()
        .unwrap_or(1);
    let bar = |name: String, total: u64, current: bool| {
        let width = percent((total as f64 / most as f64 * 100.0).max(1.5));
        html! {
            <tr class={classes!(current.then_some("present"))} aria-current={current.then_some("true")}>
                <th scope="row">{ name }</th>
                <td class="bar" aria-hidden="true"><svg><rect {width} height="100%" rx="3" /></svg></td>
                <td>{ grouped(total) }</td>
            </tr>
        }
    };
    let way = |(policy, table): &(Policy, Result<Table, Refusal>)| match table {
        Ok(table) => {
            let name = match table.page_size {
                Some(size) => format!("{} {size}", title(*policy)),
                None => title(*policy).to_owned(),
            };
            bar(name, table.total, *policy == present)
        }
        Err(refusal) => html! {
            <tr class={classes!((*policy == present).then_some("present"))} title={refusal.to_string()}>
                <th scope="row">{ title(*policy) }</th>
                <td colspan="2" class="refusal">{ "refused" }</td>
            </tr>
        },
    };
    html! {
        <table class="ways">
            <caption class="unseen">{ "Entries of the table under each policy" }</caption>
            <tbody>
                { for scene.policies().iter().map(way) }
                { bar("Page by page".to_owned(), pages, false) }
            </tbody>
        </table>
    }
}
