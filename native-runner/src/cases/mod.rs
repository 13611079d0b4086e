//! Public reports, as files of `docs/cases`: what people saw, what had happened, and what umem answers.

use include_dir::Dir;
use serde::Deserialize;
use umem_core::{
    registration::Registration,
    scenario::{Asked, Scenario, ScenarioError},
    set::Set,
};

#[cfg(test)]
mod tests;

static FILES: Dir<'static> = include_dir::include_dir!("$CARGO_MANIFEST_DIR/../docs/cases");

/// A report. `docs/cases/README.md` says what each field holds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The format's version: 1.
    #[cfg_attr(not(test), expect(dead_code))]
    version: u32,
    /// Its name, which is its file's.
    pub name: String,
    /// The symptom, as a sentence.
    pub title: String,
    /// Error texts and symptoms that people search for.
    pub errors: Vec<String>,
    /// Where it was reported.
    pub source: Vec<Link>,
    /// What the report says.
    pub happened: String,
    /// What was found to be the cause.
    pub cause: String,
    /// What no source says.
    pub inferred: Vec<String>,
    /// The questions; the first is the report itself.
    pub asked: Vec<Question>,
}

/// A place on the web, or in a list's archive.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// What it is.
    pub text: String,
    /// Its address.
    pub url: Option<String>,
}

/// What is asked of umem.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// In a few words.
    pub title: String,
    scenario: Option<serde_json::Value>,
    set: Option<serde_json::Value>,
    #[cfg_attr(not(test), expect(dead_code))]
    answer: serde_json::Value,
}

impl Question {
    /// The scenario or the set.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn asked(&self) -> Result<Asked, ScenarioError> {
        match (&self.scenario, &self.set) {
            (Some(scenario), _) => Scenario::from_json(scenario.to_string().as_bytes())
                .map(|it| Asked::Scenario(Box::new(it))),
            (None, Some(set)) => {
                Set::from_json(set.to_string().as_bytes()).map(|it| Asked::Set(Box::new(it)))
            }
            (None, None) => Scenario::from_json(b"{}").map(|it| Asked::Scenario(Box::new(it))),
        }
    }

    /// What umem answers, in one line.
    ///
    /// # Errors
    /// What is wrong with the question.
    pub fn status(&self) -> Result<String, ScenarioError> {
        Ok(match self.asked()? {
            Asked::Scenario(scenario) => Registration::new(&scenario)?.status(),
            Asked::Set(set) => set.plan()?.status(),
        })
    }
}

/// All cases, in the order of their names.
///
/// # Errors
/// A file that is no case, by name.
pub fn all() -> anyhow::Result<Vec<Case>> {
    let files = FILES.files();
    let json = files.filter(|file| {
        file.path()
            .extension()
            .is_some_and(|ending| ending == "json")
    });
    let cases = json.map(|file| {
        serde_json::from_slice(file.contents())
            .map_err(|error| anyhow::anyhow!("docs/cases/{}: {error}", file.path().display()))
    });
    let mut cases = cases.collect::<anyhow::Result<Vec<Case>>>()?;
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(cases)
}

/// The question of a case: `NAME`, or `NAME:N` for its N-th, from 1 on.
///
/// # Errors
/// A name or a number that there is not.
pub fn find(name: &str) -> anyhow::Result<Question> {
    let (name, number) = match name.split_once(':') {
        Some((name, number)) => (name, number.parse().ok()),
        None => (name, Some(1usize)),
    };
    let cases = all()?;
    let Some(case) = cases.into_iter().find(|case| case.name == name) else {
        anyhow::bail!(
            "--case: there is no case \"{name}\": `umem list cases` lists them, `umem list cases WORDS` those with these words"
        );
    };
    let count = case.asked.len();
    let question = number.and_then(|number| case.asked.into_iter().nth(number.checked_sub(1)?));
    question.ok_or_else(|| anyhow::anyhow!("--case: {name} has the questions 1 to {count}"))
}
