//! The command line: one module a command.

mod book;
mod capture;
mod check;
mod completions;
mod doctor;
pub mod first;
mod import;
mod inspect;
mod list;
mod man;
mod plan;
mod source;
mod vectors;
mod view;
mod watch;

use clap::builder::{PossibleValue, PossibleValuesParser};

use crate::{
    buffer::{CATALOGUE, Recipe},
    exit::Exit,
    screen::Out,
};

/// What `umem` can do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Plan(plan::Plan),
    Import(import::Import),
    List(list::List),
    Check(check::Check),
    Capture(capture::Capture),
    View(view::View),
    Watch(watch::Watch),
    Inspect(inspect::Inspect),
    Doctor(doctor::Doctor),
    Vectors(vectors::Vectors),
    Completions(completions::Completions),
    Man(man::Man),
    #[command(hide = true)]
    Book(book::Book),
}

impl Command {
    /// Does it. What it says goes to `out`, what went wrong to standard error.
    pub fn run(&self, out: &mut Out) -> anyhow::Result<Exit> {
        match self {
            Self::Plan(plan) => plan.run(out),
            Self::Import(import) => import.run(out.exact()),
            Self::List(list) => list.run(out),
            Self::Check(check) => check.run(out),
            Self::Capture(capture) => capture.run(out),
            Self::View(view) => view.run(out),
            Self::Watch(watch) => watch.run(out),
            Self::Inspect(inspect) => inspect.run(out),
            Self::Doctor(doctor) => doctor.run(out),
            Self::Vectors(vectors) => vectors.run(out),
            Self::Completions(completions) => completions.run(out),
            Self::Man(man) => man.run(out),
            Self::Book(book) => book.run(out),
        }
    }
}

/// The names of the buffers, with what they are.
fn buffer_names() -> impl clap::builder::TypedValueParser<Value = String> {
    let value = |recipe: &Recipe| PossibleValue::new(recipe.name).help(recipe.title);
    PossibleValuesParser::new(CATALOGUE.iter().map(value))
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory, Parser};

    use crate::Cli;

    fn examples(command: &Command) -> Vec<String> {
        let text = command.get_after_help().map(ToString::to_string);
        let text = text.unwrap_or_default();
        let lines = text.lines().filter_map(|line| line.strip_prefix("  "));
        lines.map(str::to_owned).collect()
    }

    #[test]
    fn every_command_has_examples_and_takes_them() {
        let root = Cli::command();
        let shown = root.get_subcommands().filter(|below| !below.is_hide_set());
        for command in shown.filter(|command| !command.has_subcommands()) {
            let examples = examples(command);
            assert!(!examples.is_empty(), "{} has none", command.get_name());
            for example in examples {
                // What stands before it in a pipe is not ours.
                let own = example.split('|').next_back().expect("something");
                let own = own.trim().trim_start_matches("sudo ");
                let parsed = Cli::try_parse_from(own.split(' '));
                let command = command.get_name();
                assert!(own.starts_with(&format!("umem {command}")), "{example}");
                assert!(parsed.is_ok(), "{example}: {}", parsed.unwrap_err());
            }
        }
    }
}
