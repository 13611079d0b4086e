//! The document's title: what is seen, for tabs, bookmarks and the history.

use crate::state::State;
use gloo::utils::document;
use yew::prelude::*;

/// What every title ends with.
const PAGE: &str = "umem";

/// The title of what is seen.
pub(super) fn of(state: &State) -> String {
    if let Some(chapter) = state.tour.as_ref().and_then(|tour| tour.chapter()) {
        return format!("{} · {PAGE}", chapter.title);
    }
    let many = state.here.many.as_ref();
    let scenario = &state.here.scene.scenario;
    let what = match (state.preset(), &scenario.name) {
        _ if let Some(case) = state.here.case() => case.title.clone(),
        _ if many.is_some() => many
            .and_then(|many| many.set().name.clone())
            .unwrap_or_else(|| "Your own set".into()),
        (Some(preset), _) => preset.title.to_owned(),
        (None, Some(name)) => name.clone(),
        (None, None) if scenario.provenance.is_some() => "A capture".into(),
        (None, None) => "Your own scenario".into(),
    };
    match state.there {
        Some(_) => format!("{what}, compared · {PAGE}"),
        None => format!("{what} · {PAGE}"),
    }
}

/// Keeps the document's title.
#[hook]
pub(super) fn use_title(title: String) {
    use_effect_with(title, |title| document().set_title(title));
}
