//! Files that are written whole or not at all.
//!
//! The bytes go into a file without a name, in the folder of the one that is wanted. Once all of them are on the disk it gets
//! the name, and replaces whatever had it: a link is replaced, never followed, so nobody who may write to the
//! folder can lead root to another file. What fails, or is killed before that, leaves nothing behind.

use std::{
    fs::{self, File, Permissions},
    io::{self, Write},
    os::{
        fd::AsRawFd,
        unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::{AtFlags, CWD, Mode, OFlags, linkat, open},
    io::{Errno, dup},
};
use tempfile::{Builder, NamedTempFile};

use crate::interrupt::Interrupt;

/// Who may read a new file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Readers {
    /// Whom the umask allows.
    Everybody,
    /// Its owner.
    Owner,
}

impl Readers {
    fn mode(self) -> u32 {
        match self {
            Self::Everybody => 0o666,
            Self::Owner => 0o600,
        }
    }
}

/// Writes `contents` to `path`, for everybody to read.
pub fn write(path: &Path, contents: &[u8]) -> anyhow::Result<()> {
    let mut file = WholeFile::create(path, Readers::Everybody)?;
    file.write_all(contents)
        .map_err(|error| unwritable(path, &error))?;
    file.finish()
}

/// A file on its way.
#[derive(Debug)]
pub struct WholeFile {
    path: PathBuf,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// Without a name. A file of ours that was there before lends it its mode.
    Nameless(File, Interrupt),
    /// With a name of its own, where the file system has no files without.
    Named(NamedTempFile, Interrupt),
    /// A device or a pipe, which cannot be replaced: it takes the bytes as they come.
    Stream(File),
}

impl WholeFile {
    /// Begins the file `path`. Nothing is seen of it until [`finish`](Self::finish). A file of ours that is there already
    /// keeps its mode; any other is replaced by a new one for `readers`.
    ///
    /// # Errors
    /// A path that cannot be written: it is a wrong argument, not an inability of this machine.
    pub fn create(path: &Path, readers: Readers) -> anyhow::Result<Self> {
        let stage = Stage::begin(path, readers).map_err(|error| unwritable(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            stage,
        })
    }

    /// Puts the file on the disk and gives it its name.
    pub fn finish(self) -> anyhow::Result<()> {
        let finished = match self.stage {
            Stage::Nameless(file, _interrupt) => persist(&file, &self.path),
            Stage::Named(file, _interrupt) => file
                .as_file()
                .sync_all()
                .and_then(|()| Ok(file.persist(&self.path).map(drop)?))
                .and_then(|()| sync_folder(&self.path)),
            Stage::Stream(_) => Ok(()),
        };
        finished.map_err(|error| unwritable(&self.path, &error))
    }

    /// Whether others than its owner may read what is written.
    pub fn is_open_to_others(&self) -> bool {
        let file = match &self.stage {
            Stage::Nameless(file, _) => file,
            Stage::Named(file, _) => file.as_file(),
            Stage::Stream(_) => return false,
        };
        file.metadata()
            .is_ok_and(|found| found.permissions().mode() & 0o077 != 0)
    }
}

impl Stage {
    fn begin(path: &Path, readers: Readers) -> io::Result<Self> {
        if let Some(number) = descriptor(path) {
            // One that we were given, whatever it is. A shell has emptied it if it was to be, and what else is printed goes on
            // where this ends.
            return Ok(Self::Stream(match number {
                1 => dup(rustix::stdio::stdout())?.into(),
                2 => dup(rustix::stdio::stderr())?.into(),
                _ => File::options()
                    .append(true)
                    .open(format!("/proc/self/fd/{number}"))?,
            }));
        }
        let found = fs::symlink_metadata(path).ok();
        if path.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        match found.as_ref().map(fs::Metadata::file_type) {
            Some(kind) if kind.is_fifo() || kind.is_char_device() => return Self::stream(path),
            Some(kind) if kind.is_block_device() || kind.is_socket() => {
                return Err(io::Error::other("it is neither a file nor a pipe"));
            }
            _ => {}
        }
        let ours = rustix::process::geteuid().as_raw();
        let mode = found
            .filter(|found| found.is_file() && found.uid() == ours)
            .map(|found| found.permissions());
        let interrupt = Interrupt::watch();
        let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
        let stage = match open(folder(path), flags, Mode::from_raw_mode(readers.mode())) {
            Ok(file) => Self::Nameless(file.into(), interrupt),
            // Not every file system can; kernels before 3.11 never heard of it (EISDIR).
            Err(Errno::OPNOTSUPP | Errno::ISDIR) => {
                let file = Builder::new()
                    .permissions(Permissions::from_mode(readers.mode()))
                    .tempfile_in(folder(path))?;
                Self::Named(file, interrupt)
            }
            Err(error) => return Err(error.into()),
        };
        if let Some(mode) = mode {
            stage.file().set_permissions(mode)?;
        }
        Ok(stage)
    }

    /// A device, or a pipe of ours: somebody else's would be a trap.
    fn stream(path: &Path) -> io::Result<Self> {
        let file = File::options()
            .write(true)
            .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
            .open(path)?;
        let found = file.metadata()?;
        let ours = found.uid() == rustix::process::geteuid().as_raw();
        match found.file_type() {
            kind if kind.is_char_device() || kind.is_fifo() && ours => Ok(Self::Stream(file)),
            kind if kind.is_fifo() => Err(io::Error::other("the pipe belongs to somebody else")),
            _ => Err(io::Error::other("it changed meanwhile")),
        }
    }

    fn file(&self) -> &File {
        match self {
            Self::Nameless(file, _) | Self::Stream(file) => file,
            Self::Named(file, _) => file.as_file(),
        }
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.stage {
            Stage::Stream(file) => file.write(bytes),
            Stage::Nameless(file, _) => {
                Interrupt::check()?;
                file.write(bytes)
            }
            Stage::Named(file, _) => {
                Interrupt::check()?;
                file.write(bytes)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The number of the open file that `path` stands for: these paths are links, and must never be replaced.
fn descriptor(path: &Path) -> Option<u32> {
    let text = path.to_str()?;
    match text {
        "/dev/stdout" => return Some(1),
        "/dev/stderr" => return Some(2),
        _ => {}
    }
    let number = text
        .strip_prefix("/dev/fd/")
        .or_else(|| text.strip_prefix("/proc/self/fd/"))?;
    number.parse().ok()
}

/// Names the nameless `file`: at once where the name is free. A link cannot replace a file, but a renaming can.
fn persist(file: &File, target: &Path) -> io::Result<()> {
    file.sync_all()?;
    let source = format!("/proc/self/fd/{}", file.as_raw_fd());
    let link = |name: &Path| linkat(CWD, &source, CWD, name, AtFlags::SYMLINK_FOLLOW);
    match link(target) {
        Ok(()) => {}
        Err(Errno::EXIST) => {
            // Should the renaming fail, the name in between goes when it is dropped.
            let named = Builder::new().make_in(folder(target), |name| Ok(link(name)?))?;
            named.into_temp_path().persist(target)?;
        }
        Err(error) => return Err(error.into()),
    }
    sync_folder(target)
}

/// Puts the new name on the disk as well.
fn sync_folder(target: &Path) -> io::Result<()> {
    File::open(folder(target))?.sync_all()
}

fn folder(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Why `path` cannot be written.
pub fn unwritable(path: &Path, error: &io::Error) -> anyhow::Error {
    anyhow::anyhow!("{} cannot be written: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{io::Read, os::unix::fs::symlink, process::Command};

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name();
        entries
            .map(|entry| name(entry).into_string().unwrap())
            .collect()
    }

    fn private(path: &Path, contents: &[u8]) {
        let mut file = WholeFile::create(path, Readers::Owner).unwrap();
        file.write_all(contents).unwrap();
        file.finish().unwrap();
    }

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn nothing_is_seen_of_a_file_until_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("capture.json");
        let mut file = WholeFile::create(&path, Readers::Owner).unwrap();
        file.write_all(b"half").unwrap();
        assert!(!path.exists());
        drop(file);
        assert_eq!(names(folder.path()), [""; 0]);
        write(&path, b"whole").unwrap();
        write(&path, b"anew").unwrap();
        assert_eq!(names(folder.path()), ["capture.json"]);
        assert_eq!(fs::read(&path).unwrap(), b"anew");
    }

    #[test]
    fn captures_are_their_owners_alone_and_files_of_ours_keep_their_mode() {
        let folder = tempfile::tempdir().unwrap();
        let (capture, picture) = (folder.path().join("capture"), folder.path().join("picture"));
        private(&capture, b"1");
        assert_eq!(mode(&capture), 0o600);
        write(&picture, b"1").unwrap();
        fs::set_permissions(&capture, Permissions::from_mode(0o640)).unwrap();
        private(&capture, b"2");
        assert_eq!(mode(&capture), 0o640);
        // Somebody else's file, open to all, must not make ours so. Only root can make one.
        fs::set_permissions(&capture, Permissions::from_mode(0o666)).unwrap();
        if std::os::unix::fs::chown(&capture, Some(65534), None).is_ok() {
            private(&capture, b"3");
            assert_eq!(mode(&capture), 0o600);
        }
    }

    #[test]
    fn a_link_is_replaced_and_what_it_leads_to_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("shadow"), folder.path().join("link"));
        fs::write(&file, b"secret").unwrap();
        symlink(&file, &link).unwrap();
        private(&link, b"capture");
        assert_eq!(fs::read(&file).unwrap(), b"secret");
        assert!(fs::symlink_metadata(&link).unwrap().is_file());
        assert_eq!(mode(&link), 0o600);
        let dangling = folder.path().join("dangling");
        symlink(folder.path().join("nothing"), &dangling).unwrap();
        private(&dangling, b"capture");
        assert!(!folder.path().join("nothing").exists());
    }

    #[test]
    fn what_we_were_given_is_written_to() {
        let (mut reader, writer) = io::pipe().unwrap();
        let pipe = format!("/proc/self/fd/{}", writer.as_raw_fd());
        write(Path::new(&pipe), b"through").unwrap();
        drop(writer);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "through");
        // A file, too: the link in /dev or /proc is not what is meant.
        let folder = tempfile::tempdir().unwrap();
        let file = File::create(folder.path().join("file")).unwrap();
        write(Path::new(&format!("/dev/fd/{}", file.as_raw_fd())), b"kept").unwrap();
        assert_eq!(fs::read(folder.path().join("file")).unwrap(), b"kept");
        assert_eq!(descriptor(Path::new("/dev/stdout")), Some(1));
        assert_eq!(descriptor(Path::new("/dev/null")), None);
        write(Path::new("/dev/null"), b"gone").unwrap();
        let error = write(folder.path(), b"a folder").unwrap_err();
        assert!(error.to_string().contains("is a directory"), "{error}");
    }

    #[test]
    fn traps_are_not_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(
            Command::new("mkfifo")
                .arg(&pipe)
                .status()
                .unwrap()
                .success()
        );
        // Only root can make a pipe somebody else's. A reader, so that opening it does not wait.
        if std::os::unix::fs::chown(&pipe, Some(65534), None).is_ok() {
            let reader = File::options().read(true).write(true).open(&pipe).unwrap();
            let error = write(&pipe, b"secret").unwrap_err();
            assert!(error.to_string().contains("somebody else"), "{error}");
            drop(reader);
        }
        // A link to a device is a link, and is replaced.
        let link = folder.path().join("link");
        symlink("/dev/null", &link).unwrap();
        write(&link, b"kept").unwrap();
        assert_eq!(fs::read(&link).unwrap(), b"kept");
        assert!(
            fs::symlink_metadata("/dev/null")
                .unwrap()
                .file_type()
                .is_char_device()
        );
    }

    #[test]
    fn both_ways_lead_to_the_same_file_and_failures_leave_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let named = |path: &Path| WholeFile {
            path: path.to_owned(),
            stage: Stage::Named(
                Builder::new()
                    .permissions(Permissions::from_mode(0o600))
                    .tempfile_in(folder.path())
                    .unwrap(),
                Interrupt::watch(),
            ),
        };
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        let mut file = named(&one);
        file.write_all(b"whole").unwrap();
        file.finish().unwrap();
        private(&other, b"whole");
        assert_eq!(mode(&one), mode(&other));
        assert_eq!(fs::read(&one).unwrap(), fs::read(&other).unwrap());
        // A folder cannot be replaced.
        let taken = folder.path().join("taken");
        fs::create_dir(&taken).unwrap();
        let nameless = || {
            let flags = OFlags::TMPFILE | OFlags::WRONLY;
            let file = open(folder.path(), flags, Mode::from_raw_mode(0o600)).unwrap();
            WholeFile {
                path: taken.clone(),
                stage: Stage::Nameless(file.into(), Interrupt::watch()),
            }
        };
        for file in [named(&taken), nameless()] {
            assert!(file.finish().is_err());
        }
        let mut left = names(folder.path());
        left.sort();
        assert_eq!(left, ["one", "other", "taken"]);
    }
}
