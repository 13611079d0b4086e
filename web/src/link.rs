//! The address bar: a scenario as a fragment, and back.
//!
//! `#preset=NAME`, or `#s=` and the unpadded base64url of the scenario's minimal JSON, which wins.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use umem_core::scenario::{
    Scenario,
    presets::{self, Preset},
};

/// The longest fragment that is written: servers never see it, but people and chat programs do.
const LONGEST: usize = 16_000;

/// What a fragment asks for.
#[derive(Clone, Debug)]
pub enum Asked {
    /// Nothing.
    Nothing,
    /// A preset.
    Preset(&'static Preset),
    /// A scenario.
    Scenario(Box<Scenario>),
    /// Something that cannot be read, and why.
    Unreadable(String),
}

/// Reads a fragment, with or without its `#`.
pub fn read(fragment: &str) -> Asked {
    let fields = || {
        fragment
            .trim_start_matches('#')
            .split('&')
            .filter_map(|field| field.split_once('='))
    };
    let field = |name: &str| {
        fields()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    };
    match (field("s"), field("preset")) {
        (Some(text), _) => match scenario(text) {
            Ok(scenario) => Asked::Scenario(Box::new(scenario)),
            Err(problem) => Asked::Unreadable(format!(
                "The scenario in this page's address cannot be read: {problem}."
            )),
        },
        (None, Some(name)) => match presets::find(name) {
            Some(preset) => Asked::Preset(preset),
            None => Asked::Unreadable(format!(
                "This page's address asks for the preset \"{name}\", and there is none of that name."
            )),
        },
        (None, None) => Asked::Nothing,
    }
}

fn scenario(text: &str) -> Result<Scenario, String> {
    let json = URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|error| format!("it is no base64url ({error})"))?;
    let scenario = Scenario::from_json(&json).map_err(|error| error.to_string())?;
    scenario.resolve().map_err(|error| error.to_string())?;
    Ok(scenario)
}

/// The fragment, without its `#`, that asks for `preset`.
pub fn to_preset(preset: &Preset) -> String {
    format!("preset={}", preset.name)
}

/// The fragment, without its `#`, that asks for `scenario`; `None` where it is a capture, which never leaves the page, or too long.
pub fn to_scenario(scenario: &Scenario) -> Option<String> {
    let extents = scenario.memory.extents.as_ref().map_or(0, Vec::len);
    if scenario.provenance.is_some() || extents > LONGEST / 8 {
        return None;
    }
    let text = format!("s={}", URL_SAFE_NO_PAD.encode(scenario.to_json()));
    (text.len() <= LONGEST).then_some(text)
}
