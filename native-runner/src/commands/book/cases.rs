//! The gallery of public reports, from `docs/cases`.

use std::fmt::Write;

use super::{cell, table};
use crate::cases::{self, Case, Link};

/// A section a case, and before them a table of what people see.
pub fn gallery() -> anyhow::Result<String> {
    let cases = cases::all()?;
    let mut text = String::new();
    let rows = cases.iter().map(|case| {
        let errors: Vec<String> = case.errors.iter().map(|error| cell(error)).collect();
        [
            errors.join("<br>"),
            format!("[{}](#{})", cell(&case.title), case.name),
        ]
    });
    text += &table(["what people see", "case"], rows);
    for case in &cases {
        section(&mut text, case)?;
    }
    Ok(text)
}

fn section(text: &mut String, case: &Case) -> anyhow::Result<()> {
    writeln!(text, "\n## {} {{#{}}}\n", prose(&case.title), case.name)?;
    writeln!(text, "**What happened.** {}\n", prose(&case.happened))?;
    writeln!(text, "**Why.** {}\n", prose(&case.cause))?;
    let mut rows = Vec::new();
    for (number, question) in (1..).zip(&case.asked) {
        let command = format!("`umem plan --case {}:{number} --why`", case.name);
        rows.push([
            format!("{}<br><small>{command}</small>", cell(&question.title)),
            cell(&question.status()?),
        ]);
    }
    *text += &table(["asked", "`umem` answers"], rows.into_iter());
    if !case.inferred.is_empty() {
        writeln!(
            text,
            "\n*Inferred, and said by no source:* {}.",
            prose(&case.inferred.join("; "))
        )?;
    }
    let sources: Vec<String> = case.source.iter().map(link).collect();
    writeln!(
        text,
        "\nReported: {}. [Open in the page](../#case={}).",
        sources.join(", "),
        case.name
    )?;
    Ok(())
}

fn link(Link { text, url }: &Link) -> String {
    match url {
        Some(url) => format!("[{}]({url})", prose(text)),
        None => prose(text),
    }
}

/// Text that means nothing to Markdown.
fn prose(text: &str) -> String {
    text.replace('<', "&lt;")
        .replace('_', "\\_")
        .replace('*', "\\*")
}

#[cfg(test)]
mod tests {
    use super::gallery;

    /// The field guide has a row for every word that `umem plan --why` begins a line with.
    #[test]
    fn the_field_guide_has_every_word() {
        let guide = include_str!("../../../../docs/src/field-guide.md");
        for word in umem_core::explain::CODES.into_iter().chain(["picture"]) {
            let row = guide
                .lines()
                .find(|line| line.starts_with(&format!("| `{word}`")));
            assert!(row.is_some(), "the field guide has no row for {word}");
        }
        let words = guide
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
        let table = words.map(|(word, _)| word).filter(|word| {
            word.chars()
                .all(|letter| letter.is_ascii_lowercase() || letter == '-')
        });
        for word in table.filter(|word| *word != "picture") {
            assert!(
                umem_core::explain::CODES.contains(&word),
                "nothing prints {word}"
            );
        }
        let begins = guide
            .lines()
            .position(|line| line == "## What do you see?")
            .unwrap();
        assert!(begins < 8, "the guide begins with what people see");
    }

    /// A reader who searches for an error text finds the case.
    #[test]
    fn error_texts_lead_to_sections() {
        let text = gallery().unwrap();
        for words in [
            "ibv_reg_mr_iova2 failed with error Cannot allocate memory",
            "| [Cannot allocate memory, and ulimit -l says 8192](#memlock-8192k) |",
            "{#memlock-8192k}",
            "umem plan --case ionic-two-budgets:5 --why",
        ] {
            assert!(text.contains(words), "{words} is not in\n{text}");
        }
    }
}
