//! What becomes of each of the device's sizes, one below the other.

use umem_core::{
    explain::{Cut, Verdict},
    size::{Bytes, PageSize, PageSizes},
    table::single::{Constraint, ConstraintCode},
};
use yew::prelude::*;

/// How many sizes are shown above and below the one that is taken.
const AROUND: usize = 3;

/// A size, what becomes of it, and how that is shown.
struct Judged {
    size: PageSize,
    text: String,
    taken: bool,
}

/// The sizes at one address of a mixed table.
pub(super) fn of_cut(cut: &Cut) -> Html {
    let judged = cut.verdicts.iter().map(|(size, verdict)| Judged {
        size: *size,
        taken: *verdict == Verdict::Taken,
        text: match verdict {
            Verdict::NotAligned { bit } => format!("not aligned: bit {bit} is set"),
            Verdict::TooLong => format!("only {} left", Bytes(cut.left)),
            Verdict::Taken => "taken".into(),
            Verdict::Smaller => "fits, but smaller".into(),
        },
    });
    list(judged.collect())
}

/// The sizes of a table that has one, or none.
pub(super) fn of_single(
    sizes: PageSizes,
    best: Option<PageSize>,
    constraints: &[Constraint],
) -> Html {
    let forbidden = |size: PageSize| {
        let by = constraints
            .iter()
            .find(|constraint| size.log2() > constraint.bit);
        match by.map(|constraint| (constraint.code, constraint.bit)) {
            Some((ConstraintCode::Covers, _)) => "would gain nothing".into(),
            Some((_, bit)) => format!("forbidden by bit {bit}"),
            None => "left out by these rules".to_owned(),
        }
    };
    let judged = sizes.iter().rev().map(|size| Judged {
        size,
        taken: Some(size) == best,
        text: match best {
            Some(best) if size == best => "taken everywhere".into(),
            Some(best) if size < best => "fits, but more entries".into(),
            _ => forbidden(size),
        },
    });
    list(judged.collect())
}

fn list(judged: Vec<Judged>) -> Html {
    let taken = judged.iter().position(|judged| judged.taken);
    let near = taken.unwrap_or(judged.len());
    let shown = |i: usize| judged.len() <= 2 * AROUND + 1 || i.abs_diff(near) <= AROUND;
    let item = |(i, judged): (usize, &Judged)| {
        // The next larger one shows what decided.
        let decided = taken == Some(i + 1);
        let class = match (judged.taken, decided) {
            (true, _) => "taken",
            (_, true) => "decided",
            _ => "",
        };
        html! { <li {class}><b>{ judged.size.to_string() }</b><span>{ &judged.text }</span></li> }
    };
    html! {
        <ul class="verdicts">
            { for judged.iter().enumerate().filter(|(i, _)| shown(*i)).map(item) }
        </ul>
    }
}
