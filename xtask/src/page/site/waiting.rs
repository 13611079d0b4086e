//! What a browser is shown of a page that is still being built: what is done, and in a moment the page itself.

use crate::step::{self, Step};
use axum::extract::{OriginalUri, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use html_escape::encode_text;
use std::fmt::{self, Display, Formatter};
use tokio::sync::watch::Receiver;

/// How far a build is; each stage has all that the ones before it have.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Nothing is there but the sources.
    Begun,
    /// The page, without what it loads when it is asked for more.
    Page,
    /// All but the book.
    Site,
    /// The book, too, or it will not come.
    Book,
}

impl Stage {
    /// From when on this can be answered with the file that it names.
    fn of(path: &str) -> Self {
        match path.split('/').nth(1) {
            // What the waiting page itself is made of lies in the sources.
            Some("icon.svg") => Stage::Begun,
            Some("element" | "plan" | "umem-split.js") => Stage::Site,
            Some("book") => Stage::Book,
            _ => Stage::Page,
        }
    }
}

/// The page's style sheet before it is made small.
const STYLE: &str = include_str!("../../../../web/page/style.css");

/// Lets pass what is there. People who ask for what is not are shown how far the build is, and asked again by the browser, without a script; a
/// program sees by the status that this is not the page. Files of a page that is shown already are waited for.
pub async fn or_wait(
    State(mut stage): State<Receiver<Stage>>,
    OriginalUri(asked): OriginalUri,
    request: Request,
    next: Next,
) -> Response {
    let (path, wanted) = (asked.path(), Stage::of(asked.path()));
    let is_page = path.ends_with('/') || path.ends_with(".html");
    if path == "/style.css" && *stage.borrow() < wanted {
        return ([(header::CONTENT_TYPE, "text/css")], STYLE).into_response();
    }
    if is_page && *stage.borrow() < wanted {
        let page = Html(Waiting(&step::so_far()).to_string());
        let soon = [(header::RETRY_AFTER, "2")];
        return (StatusCode::SERVICE_UNAVAILABLE, soon, page).into_response();
    }
    // It fails where the builder is gone; then there is what there is.
    let _ = stage.wait_for(|stage| *stage >= wanted).await;
    next.run(request).await
}

struct Waiting<'a>(&'a [Step]);

impl Display for Waiting<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta http-equiv=\"refresh\" content=\"2\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>umem is being built</title>\n<link rel=\"icon\" href=\"/icon.svg\">\n<link rel=\"stylesheet\" href=\"/style.css\">\n\
             <main class=\"waiting\">\n<h1>umem is being built</h1>\n\
             <p>What you asked for opens here as soon as it is there: on a fresh machine in a few minutes, later in seconds.</p>\n<ul>\n",
        )?;
        for step in self.0 {
            let (what, seconds) = (encode_text(&step.what), step.time().as_secs());
            match step.has_ended() {
                true => writeln!(f, "<li>✓ {what}: {seconds} s</li>")?,
                false => writeln!(f, "<li><b>{what} …</b> {seconds} s</li>")?,
            }
        }
        f.write_str("</ul>\n</main>\n")
    }
}
