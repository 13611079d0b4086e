//! The instructions of umem-core's paths, which do not depend on the machine's mood: counted by callgrind, held against those that
//! are checked in.

use super::build;
use crate::debian;
use crate::place;
use crate::step::{MachineCannot, step};
use anyhow::{Context, Result, ensure};
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use xshell::{Shell, cmd};

/// By how many percent a count may grow before it is too much.
const TOLERANCE: u64 = 2;

/// Counts instructions, and fails where a path takes more than it did.
pub fn compare(sh: &Shell) -> Result<()> {
    let now = count(sh)?;
    let known = parse(&sh.read_file(baseline())?)?;
    let (report, failed) = verdicts(&known, &now);
    eprint!("{report}");
    ensure!(
        failed == 0,
        "{failed} of {} paths take over {TOLERANCE} % more instructions than {} has, or are missing in it; if that is meant: cargo \
         xtask bench --instructions --record",
        now.len(),
        baseline().display()
    );
    Ok(())
}

/// Counts instructions, and checks the counts in.
pub fn record(sh: &Shell) -> Result<()> {
    let counts = count(sh)?;
    Ok(sh.write_file(baseline(), print(&counts))?)
}

/// A line for each path, and how many of them failed.
fn verdicts(known: &[(u64, String)], now: &[(u64, String)]) -> (String, usize) {
    let (mut report, mut failed) = (String::new(), 0);
    for (count, name) in now {
        let before = known.iter().find(|(_, known)| known == name);
        let change = before.map(|(before, _)| *count as f64 / *before as f64 - 1.0);
        let said = match change {
            None => "not known".to_owned(),
            Some(change) => format!("{:+.1} %", change * 100.0),
        };
        let bad = before.is_none_or(|(before, _)| count * 100 > before * (100 + TOLERANCE));
        failed += usize::from(bad);
        let mark = if bad { "  <-- too many" } else { "" };
        let _ = writeln!(report, "{count:>12}  {said:>9}  {name}{mark}");
    }
    (report, failed)
}

/// The instructions of each path at its small scale, as callgrind counts them.
fn count(sh: &Shell) -> Result<Vec<(u64, String)>> {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        return Err(MachineCannot(
            "instructions are counted on x86-64 Linux, for which the counts are checked in".into(),
        )
        .into());
    }
    debian::require_programs(sh, "counting instructions", &[("valgrind", "valgrind")])?;
    let program = build(sh)?;
    step("counting instructions", || {
        let folder = sh.create_temp_dir()?;
        let out = folder.path().join("paths");
        // The C library's copying and clearing are chosen by the processor: the same on every machine.
        let _plain = sh.push_env("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX2,-AVX,-ERMS,-FSRM");
        let names = cmd!(
            sh,
            "valgrind --quiet --tool=callgrind --callgrind-out-file={out} --collect-atstart=no"
        )
        .args([
            "--toggle-collect=umem_bench_counted",
            "--dump-after=umem_bench_counted",
        ])
        .args([program.as_os_str(), "instructions".as_ref()])
        .quiet()
        .read()?;
        names
            .lines()
            .enumerate()
            .map(|(i, name)| {
                let file = folder.path().join(format!("paths.{}", i + 1));
                let text = fs::read_to_string(&file)
                    .with_context(|| format!("callgrind wrote nothing about \"{name}\""))?;
                let total =
                    total(&text).with_context(|| format!("no total in {}", file.display()))?;
                Ok((total, name.to_owned()))
            })
            .collect()
    })
}

/// The instructions in all, in a file of callgrind's.
fn total(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("totals: "))?;
    line.trim().parse().ok()
}

/// Where the counts are checked in.
fn baseline() -> PathBuf {
    place::workspace().join("umem-core/bench/instructions.txt")
}

/// The counts as a file: a line a path.
fn print(counts: &[(u64, String)]) -> String {
    let mut text = String::from(
        "# Instructions of each path at its small scale. Written by: cargo xtask bench --instructions --record\n",
    );
    for (count, name) in counts {
        let _ = writeln!(text, "{count:>10}  {name}");
    }
    text
}

fn parse(text: &str) -> Result<Vec<(u64, String)>> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (count, name) = line
                .trim()
                .split_once("  ")
                .with_context(|| format!("no count: {line}"))?;
            Ok((count.parse()?, name.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(list: &[(u64, &str)]) -> Vec<(u64, String)> {
        list.iter()
            .map(|(count, name)| (*count, (*name).to_owned()))
            .collect()
    }

    #[test]
    fn what_is_written_is_read() {
        let list = counts(&[(7, "a path"), (12_345_678_901, "another, longer")]);
        assert_eq!(parse(&print(&list)).unwrap(), list);
        assert!(parse("seven  a path").is_err());
    }

    #[test]
    fn two_percent_more_are_too_many() {
        let known = counts(&[(1000, "a"), (1000, "b"), (1000, "c")]);
        let now = counts(&[(1020, "a"), (1021, "b"), (500, "c"), (1, "d")]);
        let (report, failed) = verdicts(&known, &now);
        assert_eq!(failed, 2, "{report}");
        assert!(report.contains("not known  d  <-- too many"), "{report}");
    }

    #[test]
    fn callgrind_writes_its_total() {
        assert_eq!(total("events: Ir\nfn=(1)\n1 2\ntotals: 4711\n"), Some(4711));
        assert_eq!(total("events: Ir\n"), None);
    }
}
