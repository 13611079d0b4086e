//! A scene of the book: its picture, and what must be known to show it.

use std::{io::Write, path::PathBuf};

use umem_core::{
    diagram::{self, Attention, Stage, Steps, View, palette},
    registration::Registration,
};

use crate::{commands::source::Source, whole_file};

/// Draw a scene, and tell of it: a line `key=value` each
#[derive(Debug, clap::Args)]
pub struct Scene {
    #[command(flatten)]
    source: Source,

    /// The moment that is drawn: the beginning of a stage (pin, gather, map, cut), a step, or the end
    #[arg(long, value_parser = moment, default_value = "end")]
    at: Moment,

    /// Where the picture goes
    #[arg(long, value_name = "FILE")]
    svg: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Moment {
    Begin(Stage),
    Step(usize),
    End,
}

fn moment(text: &str) -> Result<Moment, String> {
    Ok(match text {
        "pin" => Moment::Begin(Stage::Pin),
        "gather" => Moment::Begin(Stage::Gather),
        "map" => Moment::Begin(Stage::Map),
        "cut" => Moment::Begin(Stage::Cut),
        "end" => Moment::End,
        step => Moment::Step(step.parse().map_err(|_| {
            format!("\"{step}\" is no moment: pin, gather, map, cut, end, or a step's number")
        })?),
    })
}

/// The picture's width in CSS pixels: the book's column, less the margins that the SVG adds.
const WIDTH: f64 = 718.0;

impl Scene {
    /// Draws, and tells.
    pub fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let scenario = self.source.scenario()?;
        let index = Registration::new(&scenario)?.index();
        let (registration, steps) = (index.registration(), Steps::new(&index));
        let at = match self.at {
            Moment::Begin(stage) => steps.first_of(stage),
            Moment::Step(step) if step <= steps.count() => step,
            Moment::Step(step) => {
                anyhow::bail!("step {step} is after the last: there are {}", steps.count())
            }
            Moment::End => steps.count(),
        };
        let name = scenario.name.as_deref().unwrap_or("A memory region");
        let alt = match steps.get(at) {
            None => format!("{name}. {}", registration.status()),
            Some(_) if at == 0 => format!("{name}, before its pages are pinned"),
            Some(step) => {
                let next = match step.stage {
                    Stage::Pin => "while its pages are pinned",
                    Stage::Gather => "before its frames are gathered",
                    Stage::Map => "before it is mapped",
                    Stage::Cut => "before the table is cut",
                };
                format!("{name}, {next}")
            }
        };
        let view = View::whole(registration, WIDTH);
        let drawing = diagram::draw(&index, view, at as f64, Attention::default());
        let svg = diagram::svg::render(&drawing.with_margins(), &palette::LIGHT, &alt);
        whole_file::write(&self.svg, svg.as_bytes())?;
        let size = |name: &str| attribute(&svg, name).unwrap_or("0").to_owned();
        for (key, value) in [
            ("at", at.to_string()),
            ("steps", steps.count().to_string()),
            ("alt", alt),
            ("width", size("width")),
            ("height", size("height")),
            ("scenario", scenario.to_json()),
        ] {
            writeln!(out, "{key}={value}")?;
        }
        Ok(())
    }
}

/// The value of the first attribute of that name.
fn attribute<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, after) = xml.split_once(&format!(" {name}=\""))?;
    Some(after.split_once('"')?.0)
}
