//! What a scene is, in a sentence or two, where it is none of the presets.

use crate::{link::Beyond, state::State, words};

/// What a scene is that is no preset, or that no address holds: a public report, a set, a capture, what is too long.
pub(super) fn about(state: &State) -> String {
    let scenario = &state.here.scene.scenario;
    let name = || {
        scenario
            .name
            .as_ref()
            .map(|name| format!("{name}. "))
            .unwrap_or_default()
    };
    if let Some(case) = state.here.case() {
        return format!(
            "Public report: {} ({}). umem answers: {}.",
            case.title,
            case.question,
            state.here.status()
        );
    }
    if let Some(many) = &state.here.many {
        return format!(
            "A set of {} that one process registers on one device. The picture shows registration {} of {}; the fields change it, and \
             kernel, IOMMU and device for all.{}",
            words::count(many.plan.total().regions, "region", "regions"),
            many.seen + 1,
            many.set().registrations.len(),
            beyond(state).unwrap_or_default()
        );
    }
    match &scenario.provenance {
        Some(provenance) => format!(
            "{}{}{} It stays in this browser.",
            name(),
            provenance.sentences().join(" "),
            beyond(state).unwrap_or_default()
        ),
        None => name() + "Your own scenario." + beyond(state).unwrap_or_default(),
    }
}

/// What there is instead of an address that holds the scene, where none does.
fn beyond(state: &State) -> Option<&'static str> {
    let beyond = state.beyond()?;
    Some(match (state.is_sourced(), state.is_changed(), beyond) {
        (true, true, _) => {
            " You changed it, and the address opens the file as it is: keep yours as a file (Share)."
        }
        (true, false, _) => " The address of this page names its file.",
        (false, true, Beyond::Capture) => " You changed it since.",
        (false, false, Beyond::Capture) => "",
        (false, _, Beyond::Listed) => {
            " Its memory is listed, as captures are, so no address holds it: keep it as a file (Share)."
        }
        (false, _, Beyond::Long) => {
            " It is too long for an address, and gone after a reload: keep it as a file (Share)."
        }
    })
}
