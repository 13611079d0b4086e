//! What panels and fields are made of.

use umem_core::size::PageSize;
use yew::prelude::*;

pub mod dialog;
pub mod focus;
pub mod prose;
pub mod select;

/// The style of a page size: its place on the ordered scale.
pub(crate) fn order(size: PageSize) -> &'static str {
    match size.log2() {
        ..16 => "order-4k",
        16..20 => "order-64k",
        20 => "order-1m",
        21..30 => "order-2m",
        30..40 => "order-1g",
        _ => "order-1t",
    }
}

/// A sum whose terms are not broken over lines.
pub(crate) fn terms(text: &str) -> impl Iterator<Item = Html> + '_ {
    // By a letter: what searches for a text is a hundredth of the page's code.
    text.split('+').enumerate().map(|(i, term)| {
        let (plus, term) = match i {
            0 => ("", term),
            _ => (" + ", term.trim_start()),
        };
        html! { <>{ plus }<span class="term">{ thousands(term.trim_end()) }</span></> }
    })
}

/// A text that begins with a number, whose thousands the style sheet keeps apart; what is read and copied stays as it is.
pub(crate) fn thousands(text: &str) -> Html {
    let end = text.find(|letter: char| !letter.is_ascii_digit());
    let (number, rest) = text.split_at(end.unwrap_or(text.len()));
    // "4092K" is a size and not a number.
    if number.len() <= 3 || !(rest.is_empty() || rest.starts_with(' ')) {
        return html! { { text } };
    }
    let mut groups = Vec::new();
    let mut left = number;
    while !left.is_empty() {
        let (before, group) = left.split_at(left.len().saturating_sub(3));
        groups.push(html! { <span class="thousand">{ group }</span> });
        left = before;
    }
    groups.reverse();
    html! { <>{ for groups }{ rest }</> }
}
