//! Text of the story: paragraphs with `code` in them, and what the mail says.

use crate::story::{Quote, Source};
use yew::prelude::*;

/// What a paragraph begins with that is code as a whole.
const CODE: &str = "```";

/// Paragraphs.
pub(super) fn paragraphs(texts: &[String]) -> Html {
    texts.iter().map(|text| paragraph(text)).collect()
}

fn paragraph(text: &str) -> Html {
    match text.strip_prefix(CODE) {
        Some(code) => html! { <pre><code>{ code }</code></pre> },
        None => html! { <p>{ inline(text) }</p> },
    }
}

/// A text in which every second piece between backticks is code.
pub(super) fn inline(text: &str) -> Html {
    let piece = |(i, piece): (usize, &str)| match i % 2 {
        1 => html! { <code>{ piece }</code> },
        _ => html! { { piece } },
    };
    text.split('`').enumerate().map(piece).collect()
}

/// What somebody says, and where.
pub(super) fn quote(quote: Option<&Quote>, source: &Source) -> Html {
    let Some(quote) = quote else {
        return Html::default();
    };
    let place = match &quote.source {
        Some(place) => html! { { place } },
        None => {
            html! { <a href={source.url.clone()} title={source.title.clone()}>{ "the mail" }</a> }
        }
    };
    html! {
        <figure class="quote">
            <blockquote><p>{ &quote.text }</p></blockquote>
            <figcaption>{ &quote.who }{ ", " }{ place }</figcaption>
        </figure>
    }
}
