//! The files that `umem capture` and `umem plan` write: whole or not at all, where they were meant to be, for whom.

mod common;

use std::{
    fs,
    os::unix::{
        fs::{PermissionsExt, symlink},
        process::ExitStatusExt,
    },
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use common::{
    frames_are_shown,
    memory::{Memory, own_pid},
    run, said, umem,
};
use rustix::process::{Pid, Signal, kill_process};

/// Waits until `condition` holds, but not for ever.
fn wait_until(mut condition: impl FnMut() -> bool) {
    for _ in 0..10_000 {
        if condition() {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
    panic!("it never came to that");
}

/// How many bytes the process has written (`wchar`), not counting what it prints.
fn written(pid: u32) -> u64 {
    let io = fs::read_to_string(format!("/proc/{pid}/io")).unwrap_or_default();
    let line = io.lines().find_map(|line| line.strip_prefix("wchar: "));
    line.and_then(|count| count.parse().ok()).unwrap_or(0)
}

/// The capture's arguments, for memory whose file takes a while to write: no two pages of it are neighbours.
fn long_capture(memory: &Memory, path: &Path) -> Vec<String> {
    let range = format!("{:#x}+128M", memory.start());
    [
        "capture",
        "--pid",
        &own_pid(),
        "--range",
        &range,
        "-o",
        path.to_str().unwrap(),
    ]
    .map(String::from)
    .to_vec()
}

#[test]
fn a_capture_that_is_killed_while_it_writes_leaves_nothing() {
    if !frames_are_shown() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let memory = Memory::new(32 << 10, &[]);
    let path = folder.path().join("capture.json.gz");
    let arguments = long_capture(&memory, &path);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // What a shell starts in the background without job control ignores Ctrl-C, and so do its children.
    let ignored = fs::read_to_string("/proc/self/status")
        .unwrap()
        .lines()
        .find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok())
        .unwrap();
    let is_heard = |signal: &Signal| ignored & (1 << (signal.as_raw() - 1)) == 0;
    for signal in [Signal::KILL, Signal::INT, Signal::TERM]
        .into_iter()
        .filter(is_heard)
    {
        // It may be too quick for us: then it has held, and is tried again.
        let killed = (0..50).any(|_| {
            let mut child = umem(&arguments).stderr(Stdio::piped()).spawn().unwrap();
            let pid = Pid::from_child(&child);
            wait_until(|| written(child.id()) > 0 || child.try_wait().unwrap().is_some());
            let _ = kill_process(pid, signal);
            let ended = child.wait().unwrap();
            let names: Vec<_> = fs::read_dir(folder.path())
                .unwrap()
                .map(Result::unwrap)
                .collect();
            if ended.success() {
                assert_eq!(names.len(), 1);
                fs::remove_file(&path).unwrap();
                return false;
            }
            assert_eq!(ended.signal(), Some(signal.as_raw()), "{ended}");
            assert!(names.is_empty(), "{signal:?}: {names:?}");
            true
        });
        assert!(killed, "{signal:?} never came while the file was written");
    }
    let (code, out, err) = run(&arguments);
    assert_eq!((code, out.as_str()), (0, ""), "{err}");
    let (code, ..) = run(&["plan", path.to_str().unwrap()]);
    assert_eq!(code, 0, "plan reads what capture packs");
}

#[test]
fn a_new_capture_is_its_owners_alone_and_a_link_is_not_followed() {
    if !frames_are_shown() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (target, link) = (
        folder.path().join("shadow"),
        folder.path().join("capture.json"),
    );
    fs::write(&target, "secret").unwrap();
    symlink(&target, &link).unwrap();
    let (code, _, err) = run(&[
        "capture",
        "--buffer",
        "scattered",
        "-o",
        link.to_str().unwrap(),
    ]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(fs::read_to_string(&target).unwrap(), "secret");
    let found = fs::symlink_metadata(&link).unwrap();
    assert!(found.is_file());
    assert_eq!(found.permissions().mode() & 0o777, 0o600);
    let mut here = umem(&["capture", "--buffer", "scattered", "-o", "-"]);
    let (code, out, err) = said(here.current_dir(folder.path()).output().unwrap());
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with("{\"version\":1"), "- is standard output");
    assert!(!folder.path().join("-").exists());
}

/// A file that the shell opened for us is written to, and the link that leads to it stays one.
#[test]
fn the_standard_output_may_be_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = fs::File::create(folder.path().join("picture.svg")).unwrap();
    let before = fs::read_link("/dev/stdout").unwrap();
    let mut plan = umem(&["plan", "--preset", "mail", "--svg", "/dev/stdout"]);
    let status = plan.stdout(file).status().unwrap();
    assert!(status.success());
    assert_eq!(fs::read_link("/dev/stdout").unwrap(), before);
    let written = fs::read_to_string(folder.path().join("picture.svg")).unwrap();
    assert!(written.contains("<svg"), "{written}");
}

#[test]
fn what_was_ignored_before_stays_ignored() {
    if !frames_are_shown() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let memory = Memory::new(32 << 10, &[]);
    let path = folder.path().join("capture.json.gz");
    let arguments = long_capture(&memory, &path);
    let script = "trap '' HUP; umem=$1; shift; exec \"$umem\" \"$@\"";
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh", env!("CARGO_BIN_EXE_umem")]);
    let mut child = shell.args(arguments).stderr(Stdio::null()).spawn().unwrap();
    let comm = format!("/proc/{}/comm", child.id());
    wait_until(|| fs::read_to_string(&comm).is_ok_and(|name| name == "umem\n"));
    let pid = Pid::from_child(&child);
    let ended = loop {
        let _ = kill_process(pid, Signal::HUP);
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        thread::sleep(Duration::from_millis(1));
    };
    assert!(ended.success() && path.exists(), "{ended}");
}
