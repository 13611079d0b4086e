//! Parts beside one another. Each is a process of its own whose words are kept until it ends, so that none are mixed.
//!
//! Two parts never run at once where they would wait for each other, or write the same files: see [`Room`].

use super::part::{Part, Room};
use super::report::{Report, Verdict};
use crate::interrupt::Watch;
use crate::place;
use anyhow::{Context, Result};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How many parts run at once. Most of them keep more than one core busy now and then, and none keeps two busy all the time.
const LANES: usize = 2;

/// After so long without a word, what runs is named.
const SILENCE: Duration = Duration::from_secs(60);

/// Runs the parts, each as `cargo xtask test --only PART` with these options as well.
pub fn run(parts: Vec<Part>, options: &[&str]) -> Result<Report> {
    let folder = place::target().join("test");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let watch = Watch::begin()?;
    let (mut waiting, mut running, mut report) =
        (in_lanes(parts), Running::default(), Report::default());
    let mut spoke = Instant::now();
    while !(waiting.is_empty() && running.0.is_empty()) {
        let taken: Vec<_> = running.0.iter().map(|one| one.part.room()).collect();
        if let Some(next) = next(&waiting, &taken) {
            let part = waiting.remove(next);
            let built = report.has_built_the_page().then_some("--page-is-built");
            let options: Vec<_> = options.iter().copied().chain(built).collect();
            match Process::start(part, &folder, &options) {
                Ok(process) => running.0.push(process),
                // The others are no worse for it.
                Err(error) => {
                    let verdict = Verdict::Failed(format!("{error:#}"));
                    eprintln!("{part}: {verdict}");
                    report.add(part, Duration::ZERO, verdict);
                }
            }
            spoke = Instant::now();
        }
        if let Some(ended) = running.take_ended()? {
            ended.tell(&mut report)?;
            spoke = Instant::now();
            continue;
        }
        watch.check()?;
        if spoke.elapsed() > SILENCE {
            running.say();
            spoke = Instant::now();
        }
        thread::sleep(Duration::from_millis(100));
    }
    Ok(report)
}

/// The order in which parts begin: those of the lab first, each when the one before it has ended, and the others beside them. Its room takes
/// the longest: last, it would run alone. Of its parts those come first that boot one machine at a time and leave a processor to others; two
/// at once fill both by themselves.
fn in_lanes(mut parts: Vec<Part>) -> Vec<Part> {
    parts.sort_by_key(|part| match part.room() {
        Room::Lab if !part.boots_two_at_once() => 0,
        Room::Lab => 1,
        _ => 2,
    });
    parts
}

/// The first of these that may begin while parts of these rooms run.
fn next(waiting: &[Part], taken: &[Room]) -> Option<usize> {
    let may_begin = |part: &Part| !taken.contains(&part.room());
    (taken.len() < LANES)
        .then(|| waiting.iter().position(may_begin))
        .flatten()
}

/// What runs. Dropped early, it ends.
#[derive(Default)]
struct Running(Vec<Process>);

impl Running {
    fn take_ended(&mut self) -> Result<Option<Process>> {
        for number in 0..self.0.len() {
            if self.0[number].child.try_wait()?.is_some() {
                return Ok(Some(self.0.swap_remove(number)));
            }
        }
        Ok(None)
    }

    fn say(&self) {
        let parts = self.0.iter().map(|process| {
            let seconds = process.began.elapsed().as_secs();
            format!("{} ({seconds} s)", process.part)
        });
        eprintln!("  … {}", parts.collect::<Vec<_>>().join(", "));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for process in &mut self.0 {
            // As Ctrl-C would: a VM's files want to be cleared away.
            let process_id = process.child.id().to_string();
            let _ = Command::new("kill").args(["-TERM", &process_id]).status();
            let _ = process.child.wait();
        }
    }
}

struct Process {
    part: Part,
    child: Child,
    began: Instant,
    /// What it says.
    log: PathBuf,
    /// How it ended, in its own words.
    verdict: PathBuf,
}

impl Process {
    fn start(part: Part, folder: &Path, options: &[&str]) -> Result<Self> {
        let [log, verdict] = ["log", "verdict"].map(|end| folder.join(format!("{part}.{end}")));
        let _ = fs::remove_file(&verdict);
        let words =
            File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        eprintln!("» {part}: {} …", part.about());
        // This very program, even if a part builds another in its place.
        let child = Command::new("/proc/self/exe")
            .args(["test", "--only", &part.to_string(), "--verdict"])
            .arg(&verdict)
            .args(options)
            .stdin(Stdio::null())
            .stdout(words.try_clone()?)
            .stderr(words)
            .spawn()
            .context("cannot start a part")?;
        Ok(Process {
            part,
            child,
            began: Instant::now(),
            log,
            verdict,
        })
    }

    /// Shows what it said, and notes how it ended.
    fn tell(self, report: &mut Report) -> Result<()> {
        let part = self.part;
        let mut stderr = io::stderr().lock();
        writeln!(stderr, "\n═══ {part}: {} ═══", part.about())?;
        io::copy(&mut File::open(&self.log)?, &mut stderr)?;
        let said = fs::read_to_string(&self.verdict).unwrap_or_default();
        let verdict = said.parse().unwrap_or_else(|()| {
            Verdict::Failed("it ended without a verdict; its words stand above".to_owned())
        });
        writeln!(stderr, "{part}: {verdict}")?;
        report.add(part, self.began.elapsed(), verdict);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{LANES, Part, Room, in_lanes, next};

    #[test]
    fn no_two_parts_of_a_room_run_at_once_and_all_parts_run() {
        let (mut waiting, mut taken, mut begun) = (in_lanes(Part::ALL.to_vec()), Vec::new(), 0);
        while !(waiting.is_empty() && taken.is_empty()) {
            match next(&waiting, &taken) {
                Some(found) => {
                    let room = waiting.remove(found).room();
                    assert!(!taken.contains(&room), "{room:?}");
                    taken.push(room);
                    begun += 1;
                    assert!(taken.len() <= LANES);
                }
                // Something runs, or nothing would ever begin.
                None => drop(taken.remove(0)),
            }
        }
        assert_eq!(begun, Part::ALL.len());
        assert_eq!(next(&[Part::Unit, Part::Page], &[Room::Code]), Some(1));
        assert_eq!(next(&[Part::Unit], &[Room::Site, Room::Lab]), None);
    }

    /// As long as there is something of the lab, one lane has it; the other begins with what is quick.
    #[test]
    fn the_longest_room_begins_and_the_quick_parts_run_beside_it() {
        let mut waiting = in_lanes(Part::ALL.to_vec());
        let first = waiting.remove(next(&waiting, &[]).unwrap());
        assert_eq!(first.room(), Room::Lab);
        let beside = waiting.remove(next(&waiting, &[Room::Lab]).unwrap());
        assert_eq!(beside, Part::Fmt);
        let lab = waiting.iter().filter(|part| part.room() == Room::Lab);
        let mut before = first;
        for _ in 0..lab.count() {
            let after = waiting.remove(next(&waiting, &[Room::Code]).unwrap());
            assert_eq!(after.room(), Room::Lab);
            assert!(before.boots_two_at_once() <= after.boots_two_at_once());
            before = after;
        }
        assert_eq!(
            next(&waiting, &[Room::Code]),
            waiting.iter().position(|part| part.room() == Room::Site)
        );
    }
}
