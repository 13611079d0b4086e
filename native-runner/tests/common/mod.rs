//! The command `umem`, run as scripts run it.
#![allow(dead_code, reason = "no test file uses all of it")]

pub mod memory;

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;

/// The command, not started yet; it has no standard input.
pub fn umem(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_umem"));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Exit code, standard output, standard error.
pub fn run(arguments: &[&str]) -> (i32, String, String) {
    said(umem(arguments).output().unwrap())
}

/// The same, of a command that has ended.
pub fn said(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// The same, with something on standard input.
pub fn run_with(arguments: &[&str], input: &str) -> (i32, String, String) {
    let mut child = umem(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    said(child.wait_with_output().unwrap())
}

/// What it prints as JSON, if it succeeds.
pub fn json(arguments: &[&str]) -> Value {
    let (code, out, err) = run(arguments);
    assert_eq!(code, 0, "{err}");
    serde_json::from_str(&out).unwrap()
}

/// Whether the kernel shows us frame numbers. Where it must, as to root and in CI, that it does not is a failure: a test
/// that needs them would otherwise pass without having tested anything.
pub fn frames_are_shown() -> bool {
    let report = json(&["doctor", "--format", "json"]);
    let findings = report["findings"].as_array().unwrap();
    let frames = findings
        .iter()
        .find(|finding| finding["name"] == "frame numbers")
        .unwrap();
    let shown = frames["state"] == "ok";
    let must_be = rustix::process::geteuid().is_root() || std::env::var_os("CI").is_some();
    assert!(
        shown || !must_be,
        "not tested, and here it must be: {frames}"
    );
    if !shown {
        eprintln!("NOT TESTED: frame numbers are hidden from this user");
    }
    shown
}

/// A copy of the command in `folder`, where everybody may run it. Another program writes it: what a test has open for
/// writing when another test forks cannot be run until that child has let go of it (ETXTBSY).
pub fn copy_for_everybody(folder: &Path) -> PathBuf {
    let script = "cp \"$1\" \"$2/umem\" && chmod 755 \"$2\" \"$2/umem\"";
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh", env!("CARGO_BIN_EXE_umem")]);
    assert!(shell.arg(folder).status().unwrap().success());
    folder.join("umem")
}
