//! What is told in words.

use umem_core::size::PageSize;
use yew::prelude::*;

pub mod compare;
mod dialog;
pub mod entries;
pub mod keys;
pub mod reason;
pub mod share;
pub mod story;
pub mod totals;

mod advice;
mod bits;
mod exhibits;
mod prose;
mod verdicts;
mod ways;

/// The style of a page size: its place on the ordered scale.
pub fn order(size: PageSize) -> &'static str {
    match size.log2() {
        ..16 => "order-4k",
        16..20 => "order-64k",
        20 => "order-1m",
        21..30 => "order-2m",
        30..40 => "order-1g",
        _ => "order-1t",
    }
}

/// A number with its thousands apart: "1,048,576".
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A text with a capital at its beginning, unless that is a name of code.
pub(crate) fn sentence(text: &str) -> String {
    let word = text.split(' ').next().unwrap_or_default();
    if word.contains(['_', '(']) {
        return text.to_owned();
    }
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// A text whose terms are not broken over lines.
pub(crate) fn terms(text: &str) -> impl Iterator<Item = Html> + '_ {
    text.split(" + ").enumerate().map(|(i, term)| {
        html! { <>{ if i > 0 { " + " } else { "" } }<span class="term">{ term }</span></> }
    })
}
