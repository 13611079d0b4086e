//! The address bar: a scenario as a fragment, and back.
//!
//! `#preset=NAME`, or `#s=` and the unpadded base64url of the minimal JSON of a scenario or a set, which wins; `region=N` is the
//! registration of a set that is seen, counted from 1. `case=NAME` is a public report, and `question=N` which of its questions. `story=N` opens the
//! story at a chapter; `with-preset=NAME` or `with=` and base64url is the lower of two scenarios that are compared, and `edit=lower` says
//! that the fields edit that one.

use crate::{
    door::behind,
    limit::bounded_any,
    more::MORE,
    player::{Motion, Player},
    scene::Scene,
};
use std::{
    fmt::{self, Display},
    str::FromStr,
};
use umem_core::{
    diagram::{LaneName, View},
    scenario::{
        self, Scenario,
        presets::{self, Preset},
    },
    set::{Member, Set},
};
use wasm_bindgen::prelude::*;

/// The longest fragment that is written: servers never see it, but people and chat programs do.
const LONGEST: usize = 16_000;

/// Why no address holds a scene.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Beyond {
    /// It is a capture, which never leaves the page.
    Capture,
    /// It is a set whose memory is listed, which may be a capture.
    Listed,
    /// It is too long.
    Long,
}

impl Beyond {
    const ALL: [(Self, &'static str); 3] = [
        (Self::Capture, "capture"),
        (Self::Listed, "listed"),
        (Self::Long, "long"),
    ];
}

/// What the page writes into an entry of the browser's history, beside its address: "3", "3 capture source", "3 long", or "3 picked 2".
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Stamp {
    /// The entry's number: each follows the one before it.
    pub visit: u32,
    /// Why no fragment holds what was seen there, if none does.
    pub beyond: Option<Beyond>,
    /// Whether `?src=` names it.
    pub sourced: bool,
    /// Whether it was changed since it was read from there.
    pub changed: bool,
    /// The answer that the reader gave to the chapter's question.
    pub picked: Option<usize>,
}

impl Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.visit)?;
        let beyond = Beyond::ALL
            .into_iter()
            .filter(|(beyond, _)| self.beyond == Some(*beyond));
        for word in beyond.map(|(_, word)| word) {
            write!(f, " {word}")?;
        }
        if self.sourced {
            write!(f, " {SOURCE}")?;
        }
        if self.changed {
            write!(f, " {CHANGED}")?;
        }
        match self.picked {
            Some(picked) => write!(f, " {PICKED} {picked}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Stamp {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut words = text.split(' ');
        let number = |words: &mut dyn Iterator<Item = &str>| {
            words
                .next()
                .and_then(|word| word.parse::<u32>().ok())
                .ok_or(())
        };
        let mut stamp = Self {
            visit: number(&mut words)?,
            ..Self::default()
        };
        while let Some(word) = words.next() {
            match word {
                SOURCE => stamp.sourced = true,
                CHANGED => stamp.changed = true,
                PICKED => stamp.picked = Some(number(&mut words)? as usize),
                word => {
                    let known = Beyond::ALL.into_iter().find(|(_, known)| *known == word);
                    stamp.beyond = Some(known.ok_or(())?.0);
                }
            }
        }
        Ok(stamp)
    }
}

const SOURCE: &str = "source";
const CHANGED: &str = "changed";
const PICKED: &str = "picked";

/// What a fragment asks for.
#[derive(Clone, Debug)]
pub enum Asked {
    /// Nothing.
    Nothing,
    /// A preset.
    Preset(&'static Preset),
    /// A scenario.
    Scenario(Box<Scenario>),
    /// A set, and which of its registrations is seen, from 0.
    Set(Box<Set>, Option<usize>),
    /// A question of a public report, which is to be [loaded](question).
    Question,
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

/// Whether a fragment asks for a scene, and not only for a moment of one.
pub fn asks(fragment: &str) -> bool {
    let known = ["s", "preset", "case", "story", "with", "with-preset"];
    known.iter().any(|name| field(fragment, name).is_some())
}

/// What is said where a fragment asks for JSON, and the code that reads it, [more](crate::more), is not loaded.
pub(crate) fn lacks(fragment: &str) -> Option<&'static str> {
    let asks = ["s", "with"]
        .iter()
        .any(|name| field(fragment, name).is_some());
    behind(&MORE).err().filter(|_| asks)
}

/// Reads a fragment, with or without its `#`.
pub fn read(fragment: &str) -> Asked {
    match (field(fragment, "s"), field(fragment, "preset")) {
        (Some(text), _) => match either(text) {
            Ok(scenario::Asked::Scenario(scenario)) => Asked::Scenario(scenario),
            Ok(scenario::Asked::Set(set)) => Asked::Set(set, region(fragment)),
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
        (None, None) if question(fragment).is_some() => Asked::Question,
        (None, None) => Asked::Nothing,
    }
}

/// The registration of a set that a fragment asks for, from 0: `region=N`, where N counts from 1.
pub fn region(fragment: &str) -> Option<usize> {
    let number: usize = field(fragment, "region")?.parse().ok()?;
    number.checked_sub(1)
}

/// The public report that a fragment asks for, and which of its questions, counted from 1: the first, if it does not say.
pub fn question(fragment: &str) -> Option<(&str, u32)> {
    let name = field(fragment, "case")?;
    let number = field(fragment, "question").map_or(Ok(1), str::parse);
    Some((name, number.unwrap_or_default()))
}

/// The fragment, without its `#`, that asks for this question of a public report, counted from 1.
pub fn to_question(name: &str, number: u32) -> String {
    match number {
        1 => format!("case={name}"),
        _ => format!("case={name}&question={number}"),
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

/// The part of a fragment that lets the fields edit the lower of two scenarios.
pub(crate) const LOWER: &str = "edit=lower";

/// Whether a fragment lets the fields edit the lower of two scenarios.
pub fn edits_lower(fragment: &str) -> bool {
    fragment.split('&').any(|field| field == LOWER)
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

/// The part of a fragment that says what of a scene is seen: `at=` a step, `lens=` the entry's offset, `lane=iommu`,
/// `see=FROM,BYTES`.
/// Nothing for a scene that is finished and seen whole.
pub fn to_seen(player: &Player, scene: &Scene) -> String {
    let mut text = String::new();
    let mut add =
        |name: &str, value: &dyn Display| text.extend(["&", name, "=", &value.to_string()]);
    if player.moment < scene.last() {
        add("at", &(player.moment as u64));
    }
    if let Some(offset) = player.chosen {
        add("lens", &offset);
    }
    if player.lanes.contains(LaneName::Iommu) {
        add("lane", &LaneName::Iommu.name());
    }
    if let Some((from, span)) = player.sight {
        add(
            "see",
            &format_args!("{},{}", from.round() as i64, span.round() as i64),
        );
    }
    text
}

/// What a fragment says of what is seen of `scene`, as far as it makes sense there.
pub fn seen(fragment: &str, player: Player, scene: &Scene) -> Player {
    let number = |text: &str| text.parse::<i64>().ok().map(|number| number as f64);
    let step = field(fragment, "at").and_then(number);
    let lens = field(fragment, "lens").and_then(|text| text.parse::<i64>().ok());
    let see = field(fragment, "see").and_then(|text| {
        let (from, span) = text.split_once(',')?;
        Some((number(from)?, number(span)?))
    });
    let mut player = player;
    if let Some(step) = step {
        player = player.moved(scene, Motion::Seek(step.max(0.0) as usize));
    }
    if lens.is_some_and(|offset| scene.index.entries().at(offset).is_some()) {
        player.chosen = lens;
    }
    let is_lane_on = player.lanes.contains(LaneName::Iommu);
    if field(fragment, "lane") == Some(LaneName::Iommu.name()) && !is_lane_on {
        player = player.moved(scene, Motion::Iommu);
    }
    let whole = View::whole(scene.registration(), 1.0);
    player.sight = see
        .filter(|(from, span)| {
            *span >= 16.0 && *from >= whole.from && from + span <= whole.from + whole.span
        })
        .or(player.sight);
    player
}

fn scenario(text: &str) -> Result<Scenario, String> {
    match either(text)? {
        scenario::Asked::Scenario(scenario) => Ok(*scenario),
        scenario::Asked::Set(_) => Err("it is a set of many regions".into()),
    }
}

fn either(text: &str) -> Result<scenario::Asked, String> {
    let json = decoded(text).ok_or("it is not valid base64url")?;
    let asked = (behind(&MORE)?.read)(&json).map_err(|error| error.to_string())?;
    bounded_any(&asked).map_err(|error| error.to_string())?;
    Ok(asked)
}

/// The fragment, without its `#`, that asks for `preset`.
pub fn to_preset(preset: &Preset) -> String {
    format!("preset={}", preset.name)
}

/// The fragment, without its `#`, that asks for `scenario`.
///
/// # Errors
/// That it is a capture, or too long.
pub fn to_scenario(scenario: &Scenario) -> Result<String, Beyond> {
    let extents = scenario
        .memory
        .extents
        .as_ref()
        .map_or(0, |extents| extents.len());
    if scenario.provenance.is_some() {
        return Err(Beyond::Capture);
    }
    if extents > LONGEST / 8 {
        return Err(Beyond::Long);
    }
    written(&scenario.to_json())
}

/// The fragment, without its `#`, that asks for a set, of which registration number `seen` is seen.
///
/// # Errors
/// That it is too long, or that its memory is listed: that may be a capture of a process.
pub fn to_set(set: &Set, seen: usize) -> Result<String, Beyond> {
    let is_listed = |member: &Member| member.memory.extents.is_some();
    if set.registrations.iter().any(is_listed) {
        return Err(Beyond::Listed);
    }
    // A set came through this door.
    let json = (behind(&MORE).map_err(|_| Beyond::Long)?.write)(set);
    Ok(written(&json)? + &format!("&region={}", seen + 1))
}

fn written(json: &str) -> Result<String, Beyond> {
    let text = format!("s={}", encoded(json.as_bytes()));
    match text.len() {
        ..=LONGEST => Ok(text),
        _ => Err(Beyond::Long),
    }
}

#[wasm_bindgen]
extern "C" {
    /// Reads base64: a letter a byte.
    #[wasm_bindgen(catch)]
    fn atob(base64: &str) -> Result<String, JsValue>;

    /// Writes base64 of a letter a byte.
    fn btoa(letters: &str) -> String;
}

/// Unpadded base64url.
fn encoded(bytes: &[u8]) -> String {
    let letters: String = bytes.iter().copied().map(char::from).collect();
    let base64 = btoa(&letters);
    let url = |letter| match letter {
        '+' => '-',
        '/' => '_',
        _ => letter,
    };
    base64.trim_end_matches('=').chars().map(url).collect()
}

/// What unpadded base64url holds. Browsers pass over blanks in base64; an address has none.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let base64 = |letter| match letter {
        '-' => Some('+'),
        '_' => Some('/'),
        letter if letter.is_ascii_alphanumeric() => Some(letter),
        _ => None,
    };
    let text: String = text.chars().map(base64).collect::<Option<_>>()?;
    let letters = atob(&text).ok()?;
    letters
        .chars()
        .map(|letter| u8::try_from(letter).ok())
        .collect()
}
