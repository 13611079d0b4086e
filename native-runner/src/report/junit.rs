//! A report for CI servers: JUnit's XML, a suite a buffer and a case a verdict.

use std::{
    io::{self, Write},
    time::Duration,
};

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use crate::check::{Report, Verdict};

/// As one XML document.
pub fn junit(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let mut document = quick_junit::Report::new("umem check");
    for buffer in &report.buffers {
        let mut suite = TestSuite::new(buffer.name);
        if let Some(why) = &buffer.skipped {
            let skipped = Verdict::Skipped(why.clone());
            suite.add_test_case(case(buffer.title.to_owned(), &skipped));
        }
        suite.add_test_cases(
            buffer
                .verdicts()
                .map(|(about, verdict)| case(about, verdict)),
        );
        let milliseconds: f64 = buffer.rows.iter().map(|row| row.milliseconds).sum();
        suite.set_time(Duration::from_secs_f64(milliseconds / 1e3));
        document.add_test_suite(suite);
    }
    if !report.trespasses.is_empty() {
        let mut suite = TestSuite::new("refusals");
        let cases = report.trespasses.iter();
        suite.add_test_cases(cases.map(|trespass| case(trespass.title.clone(), &trespass.verdict)));
        document.add_test_suite(suite);
    }
    if !report.missing.is_empty() {
        let mut suite = TestSuite::new("missing");
        suite.add_test_cases(report.missing.iter().map(|missing| {
            let why = format!("{}; way out: {}", missing.prevents, missing.way_out);
            case(missing.what.clone(), &Verdict::Skipped(why))
        }));
        document.add_test_suite(suite);
    }
    document.serialize(&mut *out).map_err(io::Error::other)?;
    writeln!(out)
}

fn case(name: String, verdict: &Verdict) -> TestCase {
    let mut status = match verdict {
        Verdict::Held => TestCaseStatus::success(),
        Verdict::Differed(_) => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Verdict::Skipped(_) => TestCaseStatus::skipped(),
    };
    if let Verdict::Differed(why) | Verdict::Skipped(why) = verdict {
        status.set_message(why.clone());
    }
    TestCase::new(name, status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::missing::Missing;

    #[test]
    fn every_verdict_is_a_case() {
        let mut report = Report::new(None);
        report.missing.push(Missing::frame_permission());
        report.trespasses = [
            Verdict::Held,
            Verdict::Differed("the device did <it>".to_owned()),
        ]
        .map(|verdict| crate::check::TrespassReport {
            title: "RDMA WRITE with a wrong key".to_owned(),
            expected: crate::nic::Refusal::RemoteAccess,
            ended: None,
            verdict,
        })
        .to_vec();
        let mut out = Vec::new();
        junit(&mut out, &report).unwrap();
        let text = String::from_utf8(out).unwrap();
        for part in [
            "<testsuite name=\"refusals\" tests=\"2\" disabled=\"0\" errors=\"0\" failures=\"1\">",
            "<failure message=\"the device did &lt;it&gt;\"/>",
            "<testsuite name=\"missing\" tests=\"1\" disabled=\"1\"",
        ] {
            assert!(text.contains(part), "{part} in:\n{text}");
        }
    }
}
