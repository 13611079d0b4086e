use super::Registration;
use crate::kernel::KernelRules;
use alloc::{string::String, vec::Vec};

impl Registration {
    /// The status line by each of the rules that the kernel may have; empty where its name says all of them.
    ///
    /// Each but the registration's own takes as long as the registration itself.
    pub fn by_possible_rules(&self) -> Vec<(KernelRules, String)> {
        let possible = self.question().kernel().possible();
        if possible.len() < 2 {
            return Vec::new();
        }
        let answers = possible.into_iter().map(|rules| {
            let status = match rules == *self.question().rules() {
                true => self.status(),
                false => Self::of(self.question().by_rules(rules)).status(),
            };
            (rules, status)
        });
        answers.collect()
    }
}
