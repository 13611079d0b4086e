//! Public reports: what the address asks for by a report's name is loaded before it is shown.

use super::{Side, State};
use crate::{
    case::Case,
    limit::bounded_any,
    link::{self, Asked},
};
use std::rc::Rc;
use umem_core::scenario;

impl State {
    /// The page while the report that `fragment` asks for is on its way. The address stays as it is.
    pub(super) fn waiting(mut self, fragment: &str) -> Self {
        let fragment: Rc<str> = fragment.trim_start_matches('#').into();
        self.here.own = Ok(fragment.clone());
        Self {
            there: None,
            tour: None,
            notice: None,
            loading: Some("the public report".into()),
            fragment: Some(fragment.clone()),
            wanted: Some(fragment),
            ..self
        }
    }

    /// The report that `fragment` asks for has come, or will not.
    pub(super) fn reported(self, fragment: &str, read: Result<Rc<Case>, String>) -> Self {
        if self.wanted.as_deref() != Some(fragment) {
            return self;
        }
        match read {
            Ok(case) if let Err(error) = bounded_any(&case.asked) => self.declined(&format!(
                "\"{}\" ({}) cannot be shown here: {error}. What you see is something else.",
                case.title, case.question
            )),
            Ok(case) => {
                let asked = match case.asked.clone() {
                    scenario::Asked::Scenario(scenario) => Asked::Scenario(scenario),
                    scenario::Asked::Set(set) => Asked::Set(set, link::region(fragment)),
                };
                self.shown(fragment, asked, Some(case))
            }
            Err(problem) => {
                let problem = format!(
                    "The public report that this page's address asks for cannot be opened: {problem}."
                );
                self.shown(fragment, Asked::Unreadable(problem), None)
            }
        }
    }
}

impl State {
    /// What was to come does not, because of this: what is seen stays, and the address says so.
    fn declined(mut self, problem: &str) -> Self {
        self.here.name_itself();
        Self {
            wanted: None,
            loading: None,
            notice: Some(problem.into()),
            ..self
        }
        .addressed()
    }
}

impl Side {
    /// Opened as a question of a public report, if it was.
    pub(super) fn reported(&mut self, case: Option<Rc<Case>>) {
        if case.is_some() {
            self.case = case;
            self.name_itself();
        }
    }

    /// As a scenario of one's own, whatever question it was opened as.
    pub(super) fn unreported(mut self) -> Self {
        if self.case.take().is_some() {
            self.name_itself();
        }
        self
    }

    /// The question of a public report that the scene is, if it is one.
    pub fn case(&self) -> Option<&Case> {
        let set = self.many.as_ref().map(|many| many.set());
        let case = self.case.as_deref();
        case.filter(|case| case.is_of(&self.scene.scenario, set))
    }

    /// The fragment that asks for it as that question; and for the registration that is seen, if it is not the one that a set shows first.
    pub(super) fn as_question(&self) -> Option<String> {
        let fragment = self.case()?.fragment.clone();
        let other = self.many.as_ref().filter(|many| many.seen != many.first());
        Some(match other {
            Some(many) => format!("{fragment}&region={}", many.seen + 1),
            None => fragment,
        })
    }

    /// What becomes of it, in a line: of the set, if it is of one.
    pub fn status(&self) -> String {
        match &self.many {
            Some(many) => many.plan.status(),
            None => self.scene.registration().status(),
        }
    }
}
