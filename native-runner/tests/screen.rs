//! What others chose to call their processes, mappings, files and scenarios reaches no terminal as it is.

mod common;

use std::{
    ffi::{CStr, OsStr, c_void},
    fs::{self, File},
    io::{Read, Write},
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    process::{Child, Command, Stdio},
    ptr,
};

use common::{frames_are_shown, run, run_with, said, umem};
use rustix::{
    fs::{MemfdFlags, ftruncate, memfd_create},
    mm::{MapFlags, ProtFlags, mmap, munmap},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
};
use serde_json::{Value, json};

/// Clears the screen, rings, sets the title by a C1 control, reverses the order of text, hides, and begins a line.
const HOSTILE: &str =
    "a\x1b[2J\x07\u{9b}31m\u{202e}b\u{200b}\u{2066}\u{feff}\u{e0041}\x7f\t\rc\n0 differed";
/// The same, as people see it.
const SHOWN: &str = "a\\u001b[2J\\u0007\\u009b31m\\u202eb\\u200b\\u2066\\ufeff\\udb40\\udc41\\u007f\\u0009\\u000dc\\u000a0 differed";

/// Panics where `text` has a character that steers a terminal or cannot be seen.
fn assert_harmless(text: &str) {
    let steers = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
            || matches!(c, '\u{61c}' | '\u{ad}' | '\u{e0000}'..='\u{e007f}')
    };
    assert!(!text.contains(steers), "{text:?}");
}

/// A scenario of that name, and the device as it is given.
fn scenario(name: &str, device: Value) -> Value {
    json!({
        "version": 1, "name": name, "region": {"length": "4M"},
        "memory": {"page_size": "2M", "layout": "contiguous"}, "device": device,
    })
}

/// What the program prints on a terminal, and its exit code.
fn on_a_terminal(arguments: &[&str], input: &str) -> (i32, String) {
    shown(umem(arguments), input, |terminal| terminal.into())
}

/// What `command` prints on a terminal, its standard error being there or elsewhere.
fn shown(mut command: Command, input: &str, stderr: fn(File) -> Stdio) -> (i32, String) {
    let control = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&control).unwrap();
    unlockpt(&control).unwrap();
    let name = ptsname(&control, Vec::new()).unwrap();
    let terminal = File::options()
        .read(true)
        .write(true)
        .open(name.to_str().unwrap())
        .unwrap();
    command
        .stdin(Stdio::piped())
        .stdout(terminal.try_clone().unwrap())
        .stderr(stderr(terminal));
    let mut child = command.spawn().unwrap();
    // The terminal is open in the child alone from now on: its end ends our reading.
    drop(command);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    let shown = until_closed(control);
    let code = child.wait().unwrap().code().unwrap();
    // A terminal makes "\r\n" of "\n".
    (code, shown.replace("\r\n", "\n"))
}

fn until_closed(control: OwnedFd) -> String {
    let (mut control, mut shown, mut some) = (File::from(control), Vec::new(), [0; 4096]);
    // Reading fails (EIO) once nobody has the terminal open.
    while let Ok(read @ 1..) = control.read(&mut some) {
        shown.extend_from_slice(&some[..read]);
    }
    String::from_utf8(shown).unwrap()
}

#[test]
fn a_scenario_is_named_on_one_line() {
    let text = scenario(HOSTILE, json!("mlx5")).to_string();
    let (code, out, err) = run_with(&["plan", "-"], &text);
    assert_eq!((code, err.as_str()), (0, ""));
    assert_harmless(&out);
    assert_eq!(out.lines().nth(2), Some(SHOWN), "{out}");
    let (_, innocent, _) = run_with(&["plan", "-"], &scenario("a", json!("mlx5")).to_string());
    assert_eq!(out.lines().count(), innocent.lines().count());
}

#[test]
fn programs_get_every_byte_and_terminals_the_same_json_escaped() {
    let text = scenario(HOSTILE, json!({"page_sizes": ["4K"]})).to_string();
    let arguments = ["plan", "-", "--format", "json"];
    let (code, piped, err) = run_with(&arguments, &text);
    assert_eq!((code, err.as_str()), (0, ""));
    let value: Value = serde_json::from_str(&piped).unwrap();
    assert_eq!(value["name"], HOSTILE);
    assert!(piped.contains("\u{202e}b\u{200b}"), "{piped:?}");
    let (code, shown) = on_a_terminal(&arguments, &text);
    assert_eq!(code, 0);
    assert_harmless(&shown);
    let seen: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(seen, value);
    let picture = tempfile::NamedTempFile::new().unwrap();
    let path = picture.path().to_str().unwrap();
    let named = scenario("\u{202e}b\u{200b}", json!("mlx5")).to_string();
    assert_eq!(run_with(&["plan", "-", "--svg", path], &named).0, 0);
    assert!(
        fs::read_to_string(path)
            .unwrap()
            .contains("\u{202e}b\u{200b}")
    );
}

#[test]
fn an_error_that_quotes_a_file_or_its_name_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(HOSTILE);
    let path = path.to_str().unwrap();
    let said_so = |arguments: &[&str]| {
        let (code, out, err) = run(arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert_harmless(&err);
        assert_eq!(err.lines().count(), 1, "{err}");
        assert!(err.contains(SHOWN), "{err}");
    };
    for arguments in [
        &["plan", path][..],
        &["view", path],
        &["vectors", "verify", path],
        &["plan", "--preset", HOSTILE],
        &["plan", "--preset", "mail", "--device", HOSTILE],
        &["plan", "--preset", "mail", "--svg", &format!("{path}/x")],
    ] {
        said_so(arguments);
    }
    for wrong in [
        scenario("a", json!(HOSTILE)),
        scenario("a", json!({ HOSTILE: 1 })),
        json!({ HOSTILE: 1 }),
    ] {
        fs::write(path, wrong.to_string()).unwrap();
        said_so(&["plan", path]);
    }
    let mut no_text = umem(&["plan"]);
    no_text.arg(OsStr::from_bytes(b"/no/such/\x9b2J\xff"));
    let (code, _, err) = said(no_text.output().unwrap());
    assert_eq!(code, 2);
    assert_harmless(&err);
}

#[test]
fn a_wrong_command_line_is_quoted_harmlessly() {
    for arguments in [
        &["list", HOSTILE][..],
        &[HOSTILE],
        &["plan", "--preset", "mail", "--format", HOSTILE],
        &["capture", "--pid", "1", "--range", HOSTILE],
        &["plan", "a", HOSTILE],
    ] {
        let (code, shown) = on_a_terminal(arguments, "");
        assert_eq!(code, 2, "{shown}");
        assert_harmless(&shown);
        assert!(
            shown.contains("Usage: umem") || shown.contains("--help"),
            "{shown}"
        );
    }
}

#[test]
fn a_mismatch_shows_its_vector_harmlessly() {
    let vectors = fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../umem-core/tests/vectors/linux-6.1.192.jsonl"
    ));
    let line = vectors.unwrap().lines().next().unwrap().to_owned();
    let wrong = line.replace("\"best\":4096", "\"best\":8192");
    // White space of JSON: it changes nothing but what is shown.
    let (code, out, _) = run_with(
        &["vectors", "verify", "-"],
        &wrong.replacen(',', ",\t\r ", 1),
    );
    assert_eq!(code, 1, "{out}");
    assert_harmless(&out);
    assert!(out.contains(",\\u0009\\u000d "), "{out}");
}

/// A process that has given itself the name `name`, as prctl(PR_SET_NAME) does.
struct Renamed(Child);

impl Renamed {
    fn new(name: &str) -> Self {
        let mut child = Command::new("sh")
            .args([
                "-c",
                "printf %s \"$1\" > /proc/$$/comm; echo; read end",
                "sh",
                name,
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut done = [0];
        child
            .stdout
            .as_mut()
            .unwrap()
            .read_exact(&mut done)
            .unwrap();
        Self(child)
    }

    fn pid(&self) -> String {
        self.0.id().to_string()
    }
}

impl Drop for Renamed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_process_that_renamed_itself_is_listed_on_one_line() {
    let process = Renamed::new("\x1b[2J\n\u{9b}1m\u{202e}x");
    let (code, out, err) = run(&["capture", "--pid", &process.pid()]);
    assert_eq!(code, 0, "{err}");
    assert_harmless(&out);
    let first = format!(
        "process {} (\\u001b[2J\\u000a\\u009b1m\\u202ex)",
        process.pid()
    );
    assert_eq!(out.lines().next(), Some(first.as_str()), "{out}");
}

/// Memory of ours whose mapping bears the name of a memfd.
struct Named {
    start: *mut c_void,
}

impl Named {
    const LENGTH: usize = 64 << 10;

    fn new(name: &CStr) -> Self {
        let file = memfd_create(name, MemfdFlags::CLOEXEC).unwrap();
        ftruncate(&file, Self::LENGTH as u64).unwrap();
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping, wherever the kernel likes, takes no memory away from anybody.
        let start = unsafe {
            mmap(
                ptr::null_mut(),
                Self::LENGTH,
                access,
                MapFlags::SHARED | MapFlags::POPULATE,
                file,
                0,
            )
        };
        Self {
            start: start.unwrap(),
        }
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        // SAFETY: `start` is the mapping that `new` made, and nothing points into it.
        unsafe { munmap(self.start, Self::LENGTH) }.unwrap();
    }
}

#[test]
fn a_mapping_is_listed_and_captured_whatever_its_name() {
    let _memory = Named::new(c"kv\x1b[2J\xc2\x9b1m\xe2\x80\xaex\nrange");
    let pid = std::process::id().to_string();
    let (code, out, err) = run(&["capture", "--pid", &pid]);
    assert_eq!(code, 0, "{err}");
    assert_harmless(&out);
    let line = out.lines().find(|line| line.contains("memfd:kv"));
    assert!(
        line.is_some_and(|line| line.contains("/memfd:kv\\u001b[2J\\u009b1m\\u202ex\\012range")),
        "{out}"
    );
    let name = "kv\x1b[2J\u{9b}1m\u{202e}x\\012range";
    let arguments = ["capture", "--pid", &pid, "--mapping", name];
    // Its progress on standard error steers the terminal, as it must.
    match shown(umem(&arguments), "", |_| Stdio::null()) {
        (0, json) => {
            assert_harmless(&json);
            let capture: Value = serde_json::from_str(&json).unwrap();
            assert!(capture["name"].as_str().unwrap().contains(name), "{json}");
        }
        (code, _) => assert_eq!((code, frames_are_shown()), (3, false)),
    }
    let (code, _, err) = run(&[
        "capture",
        "--pid",
        &pid,
        "--mapping",
        &format!("{name}\x07"),
    ]);
    assert_eq!(code, 2, "{err}");
    assert_harmless(&err);
}
