use super::Registration;
use crate::kernel::KernelRules;
use alloc::{string::String, vec::Vec};

impl Registration {
    /// The status line by each of the rules that the kernel may have; empty where its name says all of them.
    ///
    /// Each takes as long as the registration itself.
    pub fn by_possible_rules(&self) -> Vec<(KernelRules, String)> {
        let possible = self.question().kernel().possible();
        if possible.len() < 2 {
            return Vec::new();
        }
        let answers = possible.into_iter().map(|rules| {
            let question = self.question().by_rules(rules);
            (rules, Self::of(question).status())
        });
        answers.collect()
    }
}
