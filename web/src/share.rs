//! What is seen, as things to keep and to send: a command, a snippet, a table, a picture.

use crate::{edit, player::Shown, scene::Scene, state::Place, words};
use std::{fmt::Write, rc::Rc};
use umem_core::{
    capture::Provenance,
    diagram::{
        Drawing, Heading,
        palette::Palette,
        svg::{self, Escaped},
    },
    scenario::{Scenario, presets::Preset},
};

/// The width of a picture that is kept, in pixels.
const WIDTH: f64 = 1120.0;

/// The command that works the scenario out: `umem plan`.
pub fn command(scenario: &Scenario, preset: Option<&Preset>) -> String {
    match preset {
        Some(preset) => format!("umem plan --preset {} --why", preset.name),
        None => planned(&scenario.to_json()),
    }
}

/// The command that works out what `json` asks, a scenario or a set.
pub(crate) fn planned(json: &str) -> String {
    // The quoted word keeps the shell's hands off what follows, which is one line and never that word.
    format!("umem plan - --why <<'SCENARIO'\n{json}\nSCENARIO")
}

/// HTML that shows the scenario in a page of one's own. It obeys a policy without inline styles, and its picture has a size.
pub fn embed(scene: &Rc<Scene>, preset: Option<&Preset>) -> String {
    let what = match preset {
        Some(preset) => format!("preset=\"{}\"", preset.name),
        None => format!("scenario=\"{}\"", Escaped(&scene.scenario.to_json())),
    };
    let Drawing { width, height, .. } = sheet(&[Shown::of(scene.clone())]);
    let status = scene.registration().status();
    format!(
        "<script type=\"module\" src=\"umem-split.js\"></script>\n<umem-split {what}>\n  <img src=\"{}.svg\" width=\"{}\" height=\"{}\" alt=\"{}\">\n</umem-split>",
        name(preset),
        // Formatting a float would bring 17 KB of code along.
        width.ceil() as u32,
        height.ceil() as u32,
        Escaped(&status)
    )
}

/// What is kept as a file.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Keep {
    /// A text, of this media type.
    Text(&'static str, String),
    /// What `umem plan --format json` prints of this scenario or set.
    Result(String),
    /// What is seen, as dots.
    Dots(Drawing),
    /// What is too long to be made here.
    TooLong,
}

impl Keep {
    /// JSON.
    pub(crate) fn json(text: String) -> Self {
        Self::Text("application/json", text)
    }
}

/// What a file of the scenario is called, without its ending.
pub fn name(preset: Option<&Preset>) -> &'static str {
    preset.map_or("umem", |preset| preset.name)
}

/// The entries as comma-separated values, a line for each run of equal ones that follow one another; `None` where a browser has no room for
/// that many lines.
pub fn csv(scene: &Scene) -> Option<String> {
    if scene
        .registration()
        .dma_count()
        .is_ok_and(|count| count > MOST_LINES)
    {
        return None;
    }
    let mut text = String::from("offset,address,size,count\n");
    for run in scene.registration().entries() {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{},{},{},{}",
            run.offset, run.address, run.size, run.count
        );
    }
    Some(text)
}

/// The most lines of a table that is kept, about.
const MOST_LINES: u64 = 1 << 22;

/// What is seen, as SVG.
pub(crate) fn svg(pictures: &[Shown], palette: &Palette) -> String {
    let statuses: Vec<_> = pictures
        .iter()
        .map(|shown| shown.scene.registration().status())
        .collect();
    svg::render(&sheet(pictures), palette, &statuses.join(" / "))
}

/// What is seen as a picture of its own: one scene, or two that are compared, each under what it is and what came of it.
pub(crate) fn sheet(pictures: &[Shown]) -> Drawing {
    let compared = pictures.len() > 1;
    let sides = [Place::Upper, Place::Lower].into_iter().map(words::place);
    let headed = pictures.iter().zip(sides).map(|(shown, side)| {
        let Shown { scene, player, .. } = shown;
        let status = scene.registration().status();
        let heading = Heading {
            title: match compared {
                true => format!("{side}: {status}"),
                false => status,
            },
            about: edit::described(&scene.scenario),
            notes: scene
                .scenario
                .provenance
                .as_ref()
                .map_or_else(Vec::new, Provenance::sentences),
        };
        let open = Shown {
            veiled: false,
            ..shown.clone()
        };
        (heading, open.draw(player, WIDTH))
    });
    Drawing::sheet(headed)
}
