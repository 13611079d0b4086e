//! Another process: its mappings, and its pagemap.
//!
//! `/proc/PID` is opened once, and everything is asked below it: should the process end and its number be given to
//! another, the answer is "gone", never the other's memory.

mod area;
mod file;

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    os::fd::OwnedFd,
};

use rustix::{
    fs::{Mode, OFlags, open, openat},
    io::Errno,
};

use crate::missing::Missing;

pub use area::{Area, Stretch, join, overlapping};
pub use file::MappedFile;

/// A process.
#[derive(Debug)]
pub struct Process {
    pid: u32,
    folder: OwnedFd,
}

/// Why a process tells nothing.
#[derive(Debug)]
pub enum ProcessError {
    /// There is none of that number.
    NotThere(u32),
    /// It has ended.
    Gone(u32),
    /// It is another user's, and we may not look.
    Forbidden(u32),
    /// Anything else.
    Unreadable(u32, io::Error),
}

impl Process {
    /// The process `pid`.
    ///
    /// # Errors
    /// [`ProcessError::NotThere`].
    pub fn open(pid: u32) -> Result<Self, ProcessError> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match open(format!("/proc/{pid}"), flags, Mode::empty()) {
            Ok(folder) => Ok(Self { pid, folder }),
            Err(Errno::NOENT) => Err(ProcessError::NotThere(pid)),
            Err(error) => Err(ProcessError::Unreadable(pid, error.into())),
        }
    }

    /// Its number.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// What it calls itself; "" when it is gone.
    pub fn name(&self) -> String {
        let name = self.file("comm").and_then(text);
        name.map_or_else(|_| String::new(), |name| name.trim_end().to_owned())
    }

    /// Its mappings in the order of addresses, without what they hold.
    pub fn areas(&self) -> Result<Vec<Area>, ProcessError> {
        self.parsed("maps")
    }

    /// Its mappings with how much of each is in memory, which takes the kernel longer.
    pub fn areas_in_full(&self) -> Result<Vec<Area>, ProcessError> {
        self.parsed("smaps")
    }

    /// What kind of file `area` maps; `None` for anonymous memory, and where it cannot be told.
    pub fn mapped_file(&self, area: &Area) -> Option<MappedFile> {
        let name = format!("map_files/{:x}-{:x}", area.start, area.end);
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let file = openat(&self.folder, name, flags, Mode::empty()).ok()?;
        MappedFile::of(file, || {
            let areas = self.areas_in_full().unwrap_or_default();
            let same = areas.iter().find(|other| other.start == area.start);
            same.is_some_and(|area| area.is_device_memory)
        })
    }

    /// How many bytes of it are pinned (`VmPin`): every registration counts there.
    pub fn pinned(&self) -> Option<u64> {
        let status = self.file("status").and_then(text).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmPin:"))?;
        let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        kilobytes.checked_mul(1024)
    }

    /// Its pagemap.
    pub fn pagemap(&self) -> Result<File, ProcessError> {
        self.file("pagemap").map_err(|error| self.failed(error))
    }

    /// Whether it still has memory of its own.
    pub fn is_alive(&self) -> bool {
        self.areas().is_ok_and(|areas| !areas.is_empty())
    }

    fn parsed(&self, file: &str) -> Result<Vec<Area>, ProcessError> {
        let text = self
            .file(file)
            .and_then(text)
            .map_err(|error| self.failed(error))?;
        Ok(Area::parse(&text))
    }

    fn file(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        Ok(openat(&self.folder, name, flags, Mode::empty())?.into())
    }

    fn failed(&self, error: io::Error) -> ProcessError {
        match Errno::from_io_error(&error) {
            Some(Errno::SRCH | Errno::NOENT) => ProcessError::Gone(self.pid),
            Some(Errno::ACCESS | Errno::PERM) => ProcessError::Forbidden(self.pid),
            _ => ProcessError::Unreadable(self.pid, error),
        }
    }
}

/// All of `file`, in which names may be any bytes.
fn text(mut file: File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

impl fmt::Display for ProcessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotThere(pid) => write!(f, "there is no process {pid}"),
            Self::Gone(pid) => write!(
                f,
                "process {pid} has ended: nothing of it can be read any more"
            ),
            Self::Forbidden(pid) => write!(f, "{}", Missing::process_permission(*pid)),
            Self::Unreadable(pid, error) => write!(f, "process {pid} cannot be read: {error}"),
        }
    }
}

impl std::error::Error for ProcessError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::Mapping;
    use std::process::{Child, Command, Stdio};

    fn sleeper() -> Child {
        let mut command = Command::new("sleep");
        command.arg("60").stdin(Stdio::null()).spawn().unwrap()
    }

    #[test]
    fn our_own_mappings_are_found_with_what_they_hold() {
        let mapping = Mapping::anonymous(16 << 12, 4096).unwrap();
        mapping.touch();
        let us = Process::open(std::process::id()).unwrap();
        let start = mapping.start().get();
        let areas = us.areas_in_full().unwrap();
        let area = areas
            .iter()
            .find(|area| area.start <= start && start < area.end);
        let area = area.expect("the mapping is listed");
        assert!(area.resident.unwrap() >= 16 << 12, "{area:?}");
        assert!(
            us.areas()
                .unwrap()
                .iter()
                .any(|area| area.name == "[stack]")
        );
        assert!(us.is_alive());
    }

    #[test]
    fn a_process_that_ended_is_gone_and_not_another_one() {
        let mut child = sleeper();
        let process = Process::open(child.id()).unwrap();
        assert!(process.is_alive());
        assert_eq!(process.name(), "sleep");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(matches!(process.areas(), Err(ProcessError::Gone(_))));
        assert!(matches!(process.pagemap(), Err(ProcessError::Gone(_))));
        assert!(!process.is_alive());
        assert_eq!(process.name(), "");
        let none = Process::open(child.id());
        assert!(matches!(none, Err(ProcessError::NotThere(_))));
    }
}
