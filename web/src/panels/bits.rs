//! Arithmetic shown bit by bit: addresses, the masks that they make, and the sizes that survive.

use umem_core::{
    explain::Cut,
    size::{Bytes, PageSize, PageSizes},
    table::single::{Constraint, ConstraintCode},
};
use yew::prelude::*;

/// A line of the arithmetic.
struct Line {
    name: &'static str,
    what: String,
    value: u64,
    /// The bits that matter.
    marked: u64,
}

impl Line {
    fn new(name: &'static str, what: impl ToString, value: u64, marked: u64) -> Self {
        Self {
            name,
            what: what.to_string(),
            value,
            marked,
        }
    }

    fn show(&self, bits: u32) -> Html {
        let groups = (0..bits / 4).rev().map(|group| {
            let digits = (group * 4..group * 4 + 4).rev().map(|bit| {
                let is_set = |word: u64| word >> bit & 1 == 1;
                let look = match (is_set(self.marked), is_set(self.value)) {
                    (true, _) => Some("marked"),
                    (false, true) => None,
                    (false, false) => Some("pale"),
                };
                html! { <i class={look}>{ if is_set(self.value) { "1" } else { "0" } }</i> }
            });
            html! { <span class="nibble">{ for digits }</span> }
        });
        // What stands above the largest size decides nothing.
        let more = bits < 64 && self.value >> bits != 0;
        html! {
            <tr>
                <th scope="row">{ self.name }</th>
                <td class="what">{ &self.what }</td>
                <td class="bits" aria-hidden="true">
                    <span class="nibble">{ if more { "…" } else { "\u{a0}" } }</span>
                    { for groups }
                </td>
            </tr>
        }
    }
}

fn table(lines: &[Line], sizes: PageSizes, last: Html) -> Html {
    let largest = sizes.largest().map_or(12, PageSize::log2);
    // Every bit that decides is shown, even where it is above the largest size.
    let marked = lines
        .iter()
        .map(|line| line.marked.trailing_zeros() % 64 + 1);
    let needed = marked.chain([largest + 4, 24]).max().unwrap_or(24);
    let bits = needed.next_multiple_of(4).min(64);
    html! {
        <div class="wide">
        <table class="arithmetic">
            <caption class="unseen">{ "The arithmetic, bit by bit" }</caption>
            <tbody>
                { for lines.iter().map(|line| line.show(bits)) }
                { last }
            </tbody>
        </table>
        </div>
    }
}

/// A few sizes by their names, many by their ends.
fn named(sizes: PageSizes) -> String {
    match (sizes.len(), sizes.smallest(), sizes.largest()) {
        (4.., Some(least), Some(most)) => format!("{least} to {most}"),
        _ => sizes.to_string(),
    }
}

/// The bits below `bit`.
fn below(bit: u32) -> u64 {
    1u64.checked_shl(bit).unwrap_or(0).wrapping_sub(1)
}

fn bit_of(size: Option<PageSize>) -> u64 {
    size.map_or(0, PageSize::bytes)
}

/// The mail's rule at one address: the mask of its trailing zeros, and what survives it.
pub(super) fn cut(cut: &Cut, sizes: PageSizes) -> Html {
    let address = cut.address.get();
    let survive = sizes.aligned_to(address);
    let mask = address ^ address.wrapping_sub(1);
    let lines = [
        Line::new(
            "address",
            format_args!("{address:#x}"),
            address,
            below(cut.zeros),
        ),
        Line::new("mask", format_args!("{} zeros, then 1", cut.zeros), mask, 0),
        Line::new("sizes", named(sizes), sizes.bits(), 0),
        Line::new("survive", named(survive), survive.bits(), bit_of(cut.taken)),
    ];
    let takes = match cut.taken {
        Some(size) => format!("the largest that survives and fits: {size}"),
        None => "nothing fits".into(),
    };
    let last = html! {
        <tr>
            <th scope="row">{ "left" }</th>
            <td class="what">{ Bytes(cut.left).to_string() }</td>
            <td class="takes">{ takes }</td>
        </tr>
    };
    table(&lines, sizes, last)
}

/// What forbids the larger of `sizes` everywhere, of which `best` remains.
pub(super) fn constraint(
    constraint: &Constraint,
    sizes: PageSizes,
    best: Option<PageSize>,
) -> Html {
    let (hca, dma) = (constraint.hca_address.get(), constraint.dma_address.get());
    let address =
        |name, address: u64, marked| Line::new(name, format_args!("{address:#x}"), address, marked);
    let lowest = 1u64.checked_shl(constraint.bit).unwrap_or(0);
    let reason = match constraint.code {
        ConstraintCode::Covers | ConstraintCode::StartAlignment => return Html::default(),
        ConstraintCode::Congruence => vec![
            address("NIC address", hca, lowest),
            address("DMA address", dma, lowest),
            Line::new(
                "differ",
                format_args!("first in bit {}", constraint.bit),
                hca ^ dma,
                lowest,
            ),
        ],
        ConstraintCode::Discontinuity | ConstraintCode::EntryEnd => {
            vec![address("NIC address", hca, below(constraint.bit))]
        }
    };
    let survive = PageSize::from_log2(constraint.bit).map_or(sizes, |most| sizes.up_to(most));
    let rest = [
        Line::new("sizes", named(sizes), sizes.bits(), 0),
        Line::new("survive", named(survive), survive.bits(), bit_of(best)),
    ];
    let lines: Vec<_> = reason.into_iter().chain(rest).collect();
    table(&lines, sizes, Html::default())
}
