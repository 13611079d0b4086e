//! Where a command takes its scenario from.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use anyhow::Context;
use umem_core::{
    scenario::{Scenario, ScenarioError, presets},
    size::Bytes,
};

/// A file or a preset.
#[derive(Debug, clap::Args)]
pub struct Source {
    /// A scenario or capture as JSON; - reads standard input
    #[arg(
        value_name = "FILE",
        required_unless_present = "preset",
        conflicts_with = "preset"
    )]
    file: Option<PathBuf>,

    /// A scene of the mail, by name
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,
}

impl Source {
    /// The scenario that is in it.
    pub fn scenario(&self) -> anyhow::Result<Scenario> {
        match (&self.preset, &self.file) {
            (Some(name), _) => Ok(preset(name)?),
            (None, Some(path)) => read(path),
            (None, None) => unreachable!("clap demands a file or a preset"),
        }
    }
}

fn preset(name: &str) -> Result<Scenario, ScenarioError> {
    presets::find(name)
        .map(presets::Preset::scenario)
        .ok_or_else(|| {
            let names: Vec<_> = presets::PRESETS.iter().map(|preset| preset.name).collect();
            ScenarioError::new(
                "--preset",
                format_args!(
                    "\"{name}\" is not known here; there are {}",
                    names.join(", ")
                ),
            )
        })
}

/// A capture of ten million extents is about half of this.
const LONGEST_FILE: u64 = 1 << 30;

/// Reads a scenario from a file, or from standard input.
pub fn read(path: &Path) -> anyhow::Result<Scenario> {
    let mut json = Vec::new();
    let name = if path == Path::new("-") {
        "standard input".into()
    } else {
        path.display().to_string()
    };
    let source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(path).map_err(|error| unreadable(&name, &error))?)
    };
    source
        .take(LONGEST_FILE + 1)
        .read_to_end(&mut json)
        .map_err(|error| unreadable(&name, &error))?;
    anyhow::ensure!(
        json.len() as u64 <= LONGEST_FILE,
        "{name} is longer than {}: that is no scenario",
        Bytes(LONGEST_FILE)
    );
    Scenario::from_json(&json).context(name)
}

/// Input that cannot be read is wrong input, not an inability of this machine.
fn unreadable(name: &str, error: &io::Error) -> anyhow::Error {
    anyhow::anyhow!("{name} cannot be read: {error}")
}
