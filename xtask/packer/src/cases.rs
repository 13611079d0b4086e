//! `static/cases.json`: the public reports of `docs/cases`, as the page shows them. The page answers by itself, so no answer is in it.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// Its name below `static`.
pub const FILE: &str = "cases.json";

/// It, made of the reports in `folder`.
pub fn text(folder: &Path) -> Result<String> {
    let mut cases = Vec::new();
    for path in files(folder)? {
        let case = fs::read_to_string(&path).map_err(Into::into);
        let case = case.and_then(|text| shown(&text));
        cases.push(case.with_context(|| path.display().to_string())?);
    }
    Ok(json!({ "cases": cases }).to_string())
}

/// The files of the reports, in the order of their names.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?
    {
        files.push(entry?.path());
    }
    files.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    Ok(files)
}

/// What the page shows of a report.
fn shown(text: &str) -> Result<Value> {
    let mut case: Value = serde_json::from_str(text)?;
    let fields = case.as_object_mut().context("is not an object")?;
    fields.remove("version");
    let asked = fields.get_mut("asked").and_then(Value::as_array_mut);
    for question in asked.context("has no list \"asked\"")? {
        let question = question.as_object_mut();
        question
            .context("asks something that is not an object")?
            .remove("answer");
    }
    Ok(case)
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn a_report_is_shown_without_its_answers() {
        let text = r#"{"version": 1, "name": "x", "asked": [{"title": "a", "set": {}, "answer": {"entries": 1}}]}"#;
        assert_eq!(
            shown(text).unwrap().to_string(),
            r#"{"asked":[{"set":{},"title":"a"}],"name":"x"}"#
        );
    }

    #[test]
    fn what_is_no_report_is_refused() {
        for (wrong, words) in [
            ("[]", "not an object"),
            ("{}", "\"asked\""),
            (r#"{"asked": [1]}"#, "asks something"),
            ("{", "EOF"),
        ] {
            let error = shown(wrong).unwrap_err();
            assert!(format!("{error:#}").contains(words), "{error:#}");
        }
    }
}
