//! Every command and its options, as clap knows them.

use clap::{Arg, Command, CommandFactory};

use super::{cell, table};
use crate::Cli;

/// A section a command, those below it under it.
pub fn reference() -> String {
    let mut root = Cli::command().disable_help_subcommand(true);
    root.build();
    let mut text = String::new();
    for command in shown(&root) {
        section(&mut text, command, "umem");
    }
    text
}

fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    command
        .get_subcommands()
        .filter(|below| !below.is_hide_set())
}

fn section(text: &mut String, command: &Command, above: &str) {
    let name = format!("{above} {}", command.get_name());
    let about = command.get_long_about().or(command.get_about());
    let about = about.map(ToString::to_string).unwrap_or_default();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").lines().map(str::trim);
    let usage = usage
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join("\n");
    *text += &format!(
        "## `{name}`\n\n{}\n\n```text\n{usage}\n```\n\n",
        escaped(&about)
    );
    if let Some(examples) = command.get_after_help() {
        *text += &format!("```text\n{}\n```\n\n", examples.to_string().trim_end());
    }
    let rows = command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set() && !["help", "version"].contains(&arg.get_id().as_str()))
        .map(|arg| [format!("`{}`", spelled(arg)), meaning(arg)]);
    let rows: Vec<_> = rows.collect();
    if !rows.is_empty() {
        *text += &table(["argument", "meaning"], rows.into_iter());
        text.push('\n');
    }
    for below in shown(command) {
        section(text, below, &name);
    }
}

/// As it is typed: `--format FORMAT`, `FILE`.
fn spelled(arg: &Arg) -> String {
    let values: Vec<_> = arg
        .get_value_names()
        .unwrap_or_default()
        .iter()
        .map(ToString::to_string)
        .collect();
    let takes = arg.get_num_args().is_none_or(|count| count.takes_values());
    let value = if takes {
        values.join(" ")
    } else {
        String::new()
    };
    match (arg.get_short(), arg.get_long()) {
        (Some(short), Some(long)) => format!("-{short}, --{long} {value}").trim().into(),
        (None, Some(long)) => format!("--{long} {value}").trim().into(),
        (Some(short), None) => format!("-{short} {value}").trim().into(),
        (None, None) => value,
    }
}

/// What it does, its values, and what it is if left out.
fn meaning(arg: &Arg) -> String {
    let help = arg.get_long_help().or(arg.get_help());
    let mut text = cell(&help.map(ToString::to_string).unwrap_or_default());
    let takes = arg.get_num_args().is_none_or(|count| count.takes_values());
    let values: Vec<_> = arg
        .get_possible_values()
        .iter()
        .filter(|value| takes && !value.is_hide_set())
        .map(|value| match value.get_help() {
            Some(help) => format!("`{}` ({})", value.get_name(), cell(&help.to_string())),
            None => format!("`{}`", value.get_name()),
        })
        .collect();
    if !values.is_empty() {
        text += &format!("<br>One of {}.", values.join(", "));
    }
    let default: Vec<_> = arg
        .get_default_values()
        .iter()
        .map(|value| value.display().to_string())
        .collect();
    if takes && !default.is_empty() {
        text += &format!("<br>Default: `{}`", default.join(" "));
    }
    text
}

/// Words in angle brackets are no HTML.
fn escaped(text: &str) -> String {
    text.replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::reference;

    #[test]
    fn every_command_has_a_section_and_hidden_ones_have_none() {
        let text = reference();
        for name in ["umem plan", "umem vectors verify", "umem man"] {
            assert!(text.contains(&format!("## `{name}`\n")), "{name}");
        }
        for hidden in ["umem book", "umem vectors torture"] {
            assert!(!text.contains(hidden), "{hidden}");
        }
        assert!(text.contains("`--preset NAME`"), "{text}");
    }
}
