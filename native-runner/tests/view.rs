//! `umem view`, as people start it. What the server answers is tested beside it.

mod common;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use common::{copy_for_everybody, run, said};

const SCENARIO: &str =
    r#"{"version":1,"region":{"length":"4M"},"memory":{"layout":"contiguous"},"device":"mlx5"}"#;

/// `umem view`, with `more` on its command line, in a folder where everybody may run it and every browser is `browser`.
struct View {
    child: Child,
    folder: tempfile::TempDir,
}

impl View {
    fn start(more: &[&str], user: Option<u32>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = copy_for_everybody(folder.path());
        // Root's browser and nobody's both write there.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        // Written by a shell, for the same reason as the copy.
        let browser = "printf '%s\\n' '#!/bin/sh' 'echo \"$@\" > \"$0.new\" && /bin/mv \"$0.new\" \"${0%/*}/opened\"' > xdg-open && chmod 755 xdg-open";
        let mut shell = Command::new("sh");
        let made = shell
            .args(["-c", browser])
            .current_dir(folder.path())
            .status();
        assert!(made.unwrap().success());
        let mut command = Command::new(program);
        command
            .args(["view", "-"])
            .args(more)
            .env("PATH", folder.path())
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(user) = user {
            command.uid(user).gid(user);
        }
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(SCENARIO.as_bytes()).unwrap();
        Self { child, folder }
    }

    /// The address that it prints.
    fn address(&mut self) -> String {
        let mut line = String::new();
        let mut out = BufReader::new(self.child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    /// What a browser was started with, if that is soon.
    fn opened(&self) -> Option<String> {
        let (file, start) = (self.folder.path().join("opened"), Instant::now());
        while start.elapsed() < Duration::from_secs(10) {
            if let Ok(text) = fs::read_to_string(&file) {
                return Some(text.trim().to_owned());
            }
            thread::sleep(Duration::from_millis(20));
        }
        None
    }

    /// Its standard error, once it is stopped.
    fn stop(mut self) -> String {
        self.child.kill().unwrap();
        let mut text = String::new();
        let mut stderr = self.child.stderr.take().unwrap();
        stderr.read_to_string(&mut text).unwrap();
        self.child.wait().unwrap();
        text
    }
}

/// What the server of `address` has at `path`.
fn get(address: &str, path: &str) -> String {
    let authority = address.strip_prefix("http://").unwrap();
    let authority = authority.split('/').next().unwrap();
    let mut stream = TcpStream::connect(authority).unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
#[cfg_attr(umem_page, ignore = "this program has the page in it")]
fn without_the_page_it_says_what_to_run() {
    let (code, out, err) = run(&["view", "--no-open"]);
    assert_eq!((code, out.as_str()), (3, ""));
    assert!(err.contains("cargo xtask build"), "{err}");
}

#[test]
#[cfg_attr(
    not(umem_page),
    ignore = "the page was not there to be built in: `cargo xtask build`"
)]
fn the_address_that_is_printed_leads_to_the_capture_and_nothing_else_does() {
    let mut view = View::start(&["--no-open"], None);
    let address = view.address();
    let capture = address.split_once("/?src=").unwrap().1.to_owned();
    assert!(get(&address, "/").starts_with("HTTP/1.1 200"));
    let answer = get(&address, &format!("/{capture}"));
    assert!(answer.contains("\"device\":\"mlx5\""), "{answer}");
    assert!(get(&address, "/scenario.json").starts_with("HTTP/1.1 404"));
    // No browser was started, so none is led to the capture.
    let open = get(&address, "/open");
    assert!(open.starts_with("HTTP/1.1 403"), "{open}");
    let us_or_nobody = rustix::process::geteuid().is_root().then_some(65534);
    if let Some(user) = us_or_nobody {
        let fetched = as_user(user, &address);
        assert!(fetched.starts_with("HTTP/1.1 403"), "{fetched}");
        assert!(!fetched.contains(&capture), "{fetched}");
    }
    assert_eq!(view.stop(), "");
}

/// What `/open` of the server answers to another user.
fn as_user(user: u32, address: &str) -> String {
    let port = address.strip_prefix("http://127.0.0.1:").unwrap();
    let port = port.split('/').next().unwrap();
    let script = "exec 3<>\"/dev/tcp/127.0.0.1/$1\" && printf 'GET /open HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && cat <&3";
    let mut bash = Command::new("bash");
    bash.args(["-c", script, "bash", port]);
    let (code, out, err) = said(bash.uid(user).gid(user).output().unwrap());
    assert_eq!(code, 0, "{err}");
    out
}

#[test]
#[cfg_attr(
    not(umem_page),
    ignore = "the page was not there to be built in: `cargo xtask build`"
)]
fn a_browser_is_started_without_the_token_and_never_as_root() {
    let is_root = rustix::process::geteuid().is_root();
    let mut view = View::start(&[], is_root.then_some(65534));
    let address = view.address();
    let authority = address.split_once("/?src=").unwrap().0;
    assert_eq!(view.opened(), Some(format!("{authority}/open")));
    view.stop();
    if is_root {
        let mut view = View::start(&[], None);
        let address = view.address();
        // It serves only after it has decided.
        assert!(get(&address, "/").starts_with("HTTP/1.1 200"));
        thread::sleep(Duration::from_millis(500));
        assert!(!view.folder.path().join("opened").exists());
        assert!(view.stop().contains("no browser is started as root"));
    }
}
