//! `umem book`: what the book says of the code, from the code itself. Hidden: `cargo xtask book` asks, and nobody else.

mod bits;
mod cases;
mod commands;
mod format;
mod gains;
mod scene;
mod tables;

use crate::{exit::Exit, screen::Out};

/// Print what the book needs, as Markdown
#[derive(Debug, clap::Args)]
pub struct Book {
    #[command(subcommand)]
    part: Part,
}

#[derive(Debug, clap::Subcommand)]
enum Part {
    /// A catalogue or a reference
    Table {
        #[arg(value_enum)]
        name: Table,
    },
    Scene(scene::Scene),
    Bits(bits::Bits),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
enum Table {
    Processors,
    Iommus,
    Devices,
    Kernels,
    Presets,
    /// The gallery of public reports
    Cases,
    /// What ranges that begin congruent would bring
    Gains,
    /// Every command and its options
    Commands,
    /// The scenario format, from its JSON Schema
    Scenario,
}

impl Book {
    /// Prints it.
    pub fn run(&self, out: &mut Out) -> anyhow::Result<Exit> {
        match &self.part {
            Part::Table { name } => {
                let text = match name {
                    Table::Processors => tables::processors(),
                    Table::Iommus => tables::iommus(),
                    Table::Devices => tables::devices(),
                    Table::Kernels => tables::kernels(),
                    Table::Presets => tables::presets(),
                    Table::Cases => cases::gallery()?,
                    Table::Gains => gains::gains()?,
                    Table::Commands => commands::reference(),
                    Table::Scenario => format::scenario()?,
                };
                out.exact().write_all(text.as_bytes())?;
            }
            Part::Scene(scene) => scene.run(out.exact())?,
            Part::Bits(bits) => bits.run(out.exact())?,
        }
        Ok(Exit::Held)
    }
}

/// Text as it may stand in a cell of a Markdown table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
        .replace('\n', " ")
        .replace('<', "&lt;")
}

/// A Markdown table.
fn table<const N: usize>(heading: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let line = |cells: [String; N]| format!("| {} |\n", cells.join(" | "));
    let mut text = line(heading.map(String::from));
    text += &line(heading.map(|_| "---".into()));
    rows.for_each(|row| text += &line(row));
    text
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn a_table_has_a_line_a_row() {
        let rows = [["a".to_owned(), "b".to_owned()]];
        assert_eq!(
            table(["x", "y"], rows.into_iter()),
            "| x | y |\n| --- | --- |\n| a | b |\n"
        );
    }
}
