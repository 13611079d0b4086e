//! The address bar: a scenario as a fragment, and back.
//!
//! `#preset=NAME`, or `#s=` and the unpadded base64url of the scenario's minimal JSON, which wins. `story=N` opens the
//! story at a chapter; `with-preset=NAME` or `with=` and base64url is the lower of two scenarios that are compared.

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

/// The value of a field of a fragment, which may have its `#`.
fn field<'a>(fragment: &'a str, name: &str) -> Option<&'a str> {
    fragment
        .trim_start_matches('#')
        .split('&')
        .filter_map(|field| field.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// Reads a fragment, with or without its `#`.
pub fn read(fragment: &str) -> Asked {
    match (field(fragment, "s"), field(fragment, "preset")) {
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

/// The chapter of the story that a fragment asks for, from 0: `story=N`, where N counts from 1.
pub fn chapter(fragment: &str) -> Option<usize> {
    let number: usize = field(fragment, "story")?.parse().ok()?;
    Some(number.saturating_sub(1))
}

/// The scenario that a fragment wants to be compared: `with=` and base64url, or `with-preset=NAME`.
pub fn other(fragment: &str) -> Option<Result<Box<Scenario>, String>> {
    let read = match (field(fragment, "with"), field(fragment, "with-preset")) {
        (Some(text), _) => scenario(text),
        (None, Some(name)) => presets::find(name)
            .map(Preset::scenario)
            .ok_or_else(|| format!("there is no preset \"{name}\"")),
        (None, None) => return None,
    };
    Some(read.map(Box::new).map_err(|problem| {
        format!("What this page's address compares with cannot be read: {problem}.")
    }))
}

/// The part of a fragment that opens the story at a chapter, counted from 0.
pub fn to_chapter(chapter: usize) -> String {
    format!("story={}", chapter + 1)
}

/// The part of a fragment that compares with what `own`, a fragment by itself, asks for.
pub fn to_other(own: &str) -> String {
    match own.strip_prefix("s=") {
        Some(text) => format!("with={text}"),
        None => format!("with-{own}"),
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
