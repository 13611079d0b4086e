//! Probes in the kernel's functions, as events of tracefs.
//!
//! Only these let a return probe have room for as many calls at once as there may be (`r4096:`): registrations sleep, and perf's own return
//! probes lose most of those that meet. An event outlives a watcher that is killed, switched off and harmless; the next one sweeps it away.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    process,
};

use crate::sysfs::text;

/// Where tracefs is mounted; the second belongs to old systems.
const FOLDERS: [&str; 2] = ["sys/kernel/tracing", "sys/kernel/debug/tracing"];

/// What our groups of events are called, before the process's number.
const PREFIX: &str = "umem_watch_";

/// The calls of a function that a return probe may see at once: the most that the kernel takes.
const MOST_AT_ONCE: u32 = 4096;

/// Where in a function a probe is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// At its entry.
    Entry,
    /// At its return.
    Return,
}

/// The events of this process.
#[derive(Debug)]
pub struct Events {
    folder: PathBuf,
    group: String,
    names: Vec<String>,
}

impl Events {
    /// None yet. Sweeps away what killed watchers have left.
    ///
    /// # Errors
    /// tracefs is not there, or not ours to change.
    pub fn new(root: &Path) -> io::Result<Self> {
        let folder = folder(root).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::NotFound,
                "it is not mounted, or closed to this user: run it as root; mount -t tracefs tracefs /sys/kernel/tracing",
            )
        })?;
        let events = Self {
            folder,
            group: format!("{PREFIX}{}", process::id()),
            names: Vec::new(),
        };
        events.sweep(root)?;
        Ok(events)
    }

    /// Makes the event `name` at `point`, a function as tracefs calls it; the event's number.
    ///
    /// # Errors
    /// The kernel takes no such probe.
    pub fn add(&mut self, name: &str, place: Place, point: &str) -> io::Result<u64> {
        let kind = match place {
            Place::Entry => "p".to_owned(),
            Place::Return => format!("r{MOST_AT_ONCE}"),
        };
        // The kernel counts misses by the event's name alone: it must be ours alone.
        let name = format!("{name}_{}", process::id());
        self.write(&format!("{kind}:{}/{name} {point}", self.group))?;
        let id = self
            .folder
            .join("events")
            .join(&self.group)
            .join(&name)
            .join("id");
        let names = &mut self.names;
        names.push(name.clone());
        text(id)
            .and_then(|id| id.parse().ok())
            .ok_or_else(|| io::Error::other(format!("the event {name} has no number")))
    }

    /// How many calls of our functions had no room in a return probe, or came while a probe ran.
    pub fn missed(&self) -> u64 {
        let profile = fs::read_to_string(self.folder.join("kprobe_profile")).unwrap_or_default();
        missed(&profile, &self.names)
    }

    fn sweep(&self, root: &Path) -> io::Result<()> {
        let events = fs::read_to_string(self.folder.join("kprobe_events"))?;
        for (group, name) in left_behind(&events, |pid| is_watcher(root, pid)) {
            // One that is in use is refused.
            let _ = self.write(&format!("-:{group}/{name}"));
        }
        Ok(())
    }

    fn write(&self, line: &str) -> io::Result<()> {
        // The kernel takes a command a write; truncating would clear everybody's.
        let mut file = OpenOptions::new()
            .append(true)
            .open(self.folder.join("kprobe_events"))?;
        file.write_all(format!("{line}\n").as_bytes())
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        for name in &self.names {
            let _ = self.write(&format!("-:{}/{name}", self.group));
        }
    }
}

/// Where tracefs is.
pub fn folder(root: &Path) -> Option<PathBuf> {
    let folders = FOLDERS.iter().map(|folder| root.join(folder));
    folders
        .into_iter()
        .find(|folder| folder.join("kprobe_events").exists())
}

/// Whether this process may be a watcher that lives.
fn is_watcher(root: &Path, pid: u32) -> bool {
    text(root.join(format!("proc/{pid}/comm"))).is_some_and(|comm| comm.starts_with("umem"))
}

/// Our events whose watchers are gone, of lines like `r4096:umem_watch_77/get_exit ib_uverbs:ib_umem_get`.
fn left_behind(events: &str, lives: impl Fn(u32) -> bool) -> Vec<(&str, &str)> {
    let named = events.lines().filter_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (group, rest) = rest.split_once('/')?;
        let pid: u32 = group.strip_prefix(PREFIX)?.parse().ok()?;
        let name = rest.split(' ').next()?;
        (!lives(pid)).then_some((group, name))
    });
    named.collect()
}

/// Of lines like `  get_exit_77   1280   0`: name, hits, misses.
fn missed(profile: &str, names: &[String]) -> u64 {
    let of_line = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let (name, _hits, misses) = (words.next()?, words.next()?, words.next()?);
        let ours = names.iter().any(|ours| ours == name);
        ours.then(|| misses.parse::<u64>().ok())?
    };
    profile.lines().filter_map(of_line).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sysfs::Folder;

    const EVENTS: &str = "p:umem_watch_7/get_enter ib_uverbs:ib_umem_get\nr4096:umem_watch_8/get_exit ib_uverbs:ib_umem_get\n\
        p:kprobes/other do_sys_open\np:umem_watch_x/odd y\nnonsense\n";

    #[test]
    fn only_the_events_of_dead_watchers_are_swept() {
        assert_eq!(
            left_behind(EVENTS, |pid| pid == 7),
            [("umem_watch_8", "get_exit")]
        );
        assert_eq!(left_behind(EVENTS, |_| false).len(), 2);
        let folder = Folder::new(&[("proc/7/comm", "umem\n"), ("proc/8/comm", "bash\n")]);
        assert!(is_watcher(folder.path(), 7));
        assert!(!is_watcher(folder.path(), 8) && !is_watcher(folder.path(), 9));
    }

    #[test]
    fn misses_of_our_events_are_counted() {
        let profile = "  get_exit    1280    3\n  get_enter   1280  0\n  other 1 100\nshort\n";
        let names = ["get_enter", "get_exit"].map(str::to_owned);
        assert_eq!(missed(profile, &names), 3);
        assert_eq!(missed("", &names), 0);
    }

    #[test]
    fn without_tracefs_the_way_out_is_named() {
        let error = Events::new(Folder::new(&[]).path()).unwrap_err();
        assert!(error.to_string().contains("mount -t tracefs"), "{error}");
    }

    #[test]
    fn an_event_is_written_as_tracefs_has_it_and_taken_back() {
        let group = format!("umem_watch_{}", process::id());
        let name = format!("get_exit_{}", process::id());
        let id = format!("sys/kernel/tracing/events/{group}/{name}/id");
        let folder = Folder::new(&[("sys/kernel/tracing/kprobe_events", EVENTS), (&id, "42\n")]);
        let mut events = Events::new(folder.path()).unwrap();
        let point = "ib_uverbs:ib_umem_get";
        assert_eq!(events.add("get_exit", Place::Return, point).unwrap(), 42);
        drop(events);
        let file = folder.path().join("sys/kernel/tracing/kprobe_events");
        let written = fs::read_to_string(file).unwrap();
        let lines: Vec<_> = written.lines().skip(EVENTS.lines().count()).collect();
        let sweep = "-:umem_watch_7/get_enter";
        assert_eq!(lines[0], sweep);
        assert_eq!(
            lines[2..],
            [
                format!("r4096:{group}/{name} {point}"),
                format!("-:{group}/{name}")
            ]
        );
    }
}
