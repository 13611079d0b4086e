//! The table at the end of a test run, and its last line.

use super::done::Done;
use super::part::Part;
use crate::debian::INSTALL;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// How a part ended.
pub enum Verdict {
    Passed(Done),
    /// With what went wrong.
    Failed(String),
    /// With what this machine lacks.
    Skipped(String),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Passed(Done::All) => f.write_str("passed"),
            Verdict::Passed(Done::Without(what)) => write!(f, "passed without {what}"),
            Verdict::Failed(why) => write!(f, "FAILED: {why}"),
            Verdict::Skipped(why) => write!(f, "skipped: {why}"),
        }
    }
}

/// Reads what `Display` writes, by which the process of a part tells the one that began it.
impl FromStr for Verdict {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let rest = |prefix| text.strip_prefix(prefix).map(str::to_owned);
        let verdict = match text {
            "passed" => Some(Verdict::Passed(Done::All)),
            _ => None,
        };
        verdict
            .or_else(|| Some(Verdict::Passed(Done::Without(rest("passed without ")?))))
            .or_else(|| Some(Verdict::Failed(rest("FAILED: ")?)))
            .or_else(|| Some(Verdict::Skipped(rest("skipped: ")?)))
            .ok_or(())
    }
}

/// What came of all parts.
#[derive(Default)]
pub struct Report(Vec<(Part, Duration, Verdict)>);

impl Report {
    pub fn add(&mut self, part: Part, time: Duration, verdict: Verdict) {
        self.0.push((part, time, verdict));
    }

    /// Whether a part has built the page, all having gone well: nothing changes it before the run ends.
    pub fn has_built_the_page(&self) -> bool {
        let mut parts = self.0.iter();
        parts.any(|(part, _, verdict)| {
            part.builds_the_page() && matches!(verdict, Verdict::Passed(_))
        })
    }

    pub fn verdicts(&self) -> impl Iterator<Item = &Verdict> {
        self.0.iter().map(|(_, _, verdict)| verdict)
    }

    pub fn failed(&self) -> usize {
        self.count(|verdict| matches!(verdict, Verdict::Failed(_)))
    }

    /// Debian's packages that parts lacked, each once: to install them part by part would take a run for each.
    fn missing_packages(&self) -> Vec<&str> {
        let mut packages = Vec::new();
        for (_, _, verdict) in &self.0 {
            let (Verdict::Skipped(why) | Verdict::Passed(Done::Without(why))) = verdict else {
                continue;
            };
            let Some((_, named)) = why.split_once(INSTALL) else {
                continue;
            };
            for package in named.split_whitespace() {
                if !packages.contains(&package) {
                    packages.push(package);
                }
            }
        }
        packages
    }

    fn count(&self, is: impl Fn(&Verdict) -> bool) -> usize {
        self.0.iter().filter(|(_, _, verdict)| is(verdict)).count()
    }
}

/// A line a part, what would let skipped parts run, then "N passed, N failed, N skipped" alone on the last line: CI reads that one.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f)?;
        for (part, time, verdict) in &self.0 {
            let name = part.to_string();
            writeln!(f, "{name:<8}{:>7.1} s  {verdict}", time.as_secs_f64())?;
        }
        let missing = self.missing_packages();
        if !missing.is_empty() {
            writeln!(
                f,
                "what was left out for want of packages: {INSTALL}{}",
                missing.join(" ")
            )?;
        }
        let passed = self.count(|verdict| matches!(verdict, Verdict::Passed(_)));
        let skipped = self.count(|verdict| matches!(verdict, Verdict::Skipped(_)));
        writeln!(
            f,
            "{passed} passed, {} failed, {skipped} skipped",
            self.failed()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_counts_every_part_once() {
        let mut report = Report::default();
        let second = Duration::from_secs(1);
        report.add(Part::Fmt, second, Verdict::Passed(Done::All));
        report.add(Part::Unit, second, Verdict::Failed("a test".into()));
        report.add(Part::Lab61, second, Verdict::Skipped("no Debian".into()));
        let text = report.to_string();
        assert_eq!(text.lines().last(), Some("1 passed, 1 failed, 1 skipped"));
        assert!(
            text.contains("lab-6.1     1.0 s  skipped: no Debian"),
            "{text}"
        );
        assert_eq!(report.failed(), 1);
    }

    #[test]
    fn the_page_is_built_once_in_a_run() {
        let (mut report, second) = (Report::default(), Duration::from_secs(1));
        report.add(Part::Unit, second, Verdict::Passed(Done::All));
        assert!(!report.has_built_the_page());
        report.add(Part::Page, second, Verdict::Failed("a test".into()));
        assert!(!report.has_built_the_page(), "it may have failed before");
        report.add(Part::Book, second, Verdict::Passed(Done::All));
        assert!(report.has_built_the_page());
    }

    #[test]
    fn packages_that_parts_lack_are_named_together_and_once() {
        let lacking =
            |packages| format!("the lab needs packages; install them with: {INSTALL}{packages}");
        let mut report = Report::default();
        let second = Duration::from_secs(1);
        let without = Done::Without(format!("the feature rdma: {}", lacking("cmake kmod")));
        report.add(Part::Unit, second, Verdict::Passed(without));
        report.add(
            Part::Lab61,
            second,
            Verdict::Skipped(lacking("kmod busybox-static")),
        );
        report.add(Part::Wasm, second, Verdict::Skipped("no rustup".into()));
        let text = report.to_string();
        let mut last = text.lines().rev();
        assert_eq!(last.next(), Some("1 passed, 0 failed, 2 skipped"));
        let command = format!("{INSTALL}cmake kmod busybox-static");
        assert!(
            last.next().is_some_and(|line| line.ends_with(&command)),
            "{text}"
        );
        assert!(!Report::default().to_string().contains(INSTALL));
    }

    #[test]
    fn a_verdict_is_read_as_it_was_written() {
        for verdict in [
            Verdict::Passed(Done::All),
            Verdict::Passed(Done::Without("the feature rdma: no cmake".into())),
            Verdict::Failed("two\nlines".into()),
            Verdict::Skipped("no Debian".into()),
        ] {
            let text = verdict.to_string();
            assert_eq!(text.parse::<Verdict>().unwrap().to_string(), text);
        }
        for text in ["", "passed?", "failed"] {
            assert!(text.parse::<Verdict>().is_err(), "{text}");
        }
    }
}
