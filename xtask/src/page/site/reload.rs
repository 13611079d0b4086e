//! Pages that load themselves again when what they are made of has changed.

use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, middleware};
use tokio::sync::watch::Receiver;

/// Asks which build this is, and waits until it is another. A server that is gone is asked again, for it may come back.
const SCRIPT: &str =
    "const changed = (build) => fetch(`/changed/${build}`).then((answer) => answer.text());
const build = await changed(0);
for (;;) {
  try {
    await changed(build);
    break;
  } catch {
    await new Promise((done) => setTimeout(done, 1000));
  }
}
location.reload();
";

/// What is added to every page.
const TAG: &str = "<script type=\"module\" src=\"/reload.js\"></script>\n";

/// More than any page of ours has.
const LONGEST: usize = 64 << 20;

/// The site, its pages with the script, and what the script asks.
pub fn with(site: Router, builds: Receiver<u64>) -> Router {
    let script = [(header::CONTENT_TYPE, "text/javascript")];
    site.layer(middleware::from_fn(add_script))
        .route("/reload.js", get((script, SCRIPT)))
        .route("/changed/{build}", get(changed).with_state(builds))
}

/// The number of the present build, as soon as it is another than this.
async fn changed(State(mut builds): State<Receiver<u64>>, Path(seen): Path<u64>) -> Response {
    match builds.wait_for(|build| *build != seen).await {
        Ok(build) => build.to_string().into_response(),
        // Nothing is built any more.
        Err(_) => seen.to_string().into_response(),
    }
}

async fn add_script(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let kind = response.headers().get(header::CONTENT_TYPE);
    if !kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html")) {
        return response;
    }
    let (mut head, body) = response.into_parts();
    match to_bytes(body, LONGEST).await {
        Ok(page) => {
            let page = [&page, TAG.as_bytes()].concat();
            let length = HeaderValue::from(page.len());
            head.headers.insert(header::CONTENT_LENGTH, length);
            Response::from_parts(head, Body::from(page))
        }
        Err(error) => error.to_string().into_response(),
    }
}
