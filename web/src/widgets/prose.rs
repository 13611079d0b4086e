//! Text that people read, and may let their browser translate.
//!
//! A browser that translates puts elements of its own in the place of a text, behind Yew's back. So everything on the page says
//! `translate="no"` but what is made here: paragraphs whose text never changes. Where another is to be read, another paragraph takes
//! their place, since its text is its key.

use crate::story::{Quote, Source};
use yew::prelude::*;

/// What a paragraph begins with that is code as a whole.
const CODE: &str = "```";

/// A paragraph of this class.
pub(crate) fn told(class: &'static str, text: &str) -> Html {
    html! { <p key={text.to_owned()} class={(!class.is_empty()).then_some(class)} translate="yes">{ inline(text) }</p> }
}

/// A paragraph as it is, whatever marks it has.
pub(crate) fn plain(text: &str) -> Html {
    html! { <p key={text.to_owned()} translate="yes">{ text }</p> }
}

/// Paragraphs.
pub(crate) fn paragraphs(texts: &[String]) -> Html {
    texts.iter().map(|text| paragraph(text)).collect()
}

fn paragraph(text: &str) -> Html {
    match text.strip_prefix(CODE) {
        Some(code) => html! { <pre key={text.to_owned()}><code>{ code }</code></pre> },
        None => told("", text),
    }
}

/// A text of this key in which every second piece between backticks is code.
pub(crate) fn span(text: &str) -> Html {
    html! { <span key={text.to_owned()} translate="yes">{ inline(text) }</span> }
}

fn inline(text: &str) -> Html {
    let piece = |(i, piece): (usize, &str)| match i % 2 {
        1 => html! { <code translate="no">{ piece }</code> },
        _ => html! { { piece } },
    };
    text.split('`').enumerate().map(piece).collect()
}

/// What somebody says, and where.
pub(crate) fn quote(quote: Option<&Quote>, source: &Source) -> Html {
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
        <figure key={quote.text.clone()} class="quote" translate="yes">
            <blockquote><p>{ &quote.text }</p></blockquote>
            <figcaption>{ &quote.who }{ ", " }{ place }</figcaption>
        </figure>
    }
}
