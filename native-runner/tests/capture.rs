//! `umem capture`, of this very process and of others.
//!
//! Where frame numbers are hidden (without root), little can be tested: as root and in CI that is a failure.

mod common;

use std::{
    fs,
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use common::{
    copy_for_everybody, frames_are_shown,
    memory::{Memory, PAGE, own_pid},
    run, run_with, said,
};
use serde_json::Value;

fn capture(arguments: &[&str]) -> (Value, String) {
    let mut all = vec!["capture"];
    all.extend(arguments);
    let (code, out, err) = run(&all);
    assert_eq!(code, 0, "{err}");
    (serde_json::from_str(&out).unwrap(), err)
}

/// The extents: address and length in bytes.
fn extents(capture: &Value) -> Vec<(u64, u64)> {
    let address = |text: &str| u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap();
    let extents = capture["memory"]["extents"].as_array().unwrap();
    extents
        .iter()
        .map(|extent| {
            (
                address(extent[0].as_str().unwrap()),
                extent[1].as_u64().unwrap(),
            )
        })
        .collect()
}

fn total(capture: &Value) -> u64 {
    let (code, out, err) = run_with(&["plan", "-", "--format", "json"], &capture.to_string());
    assert_eq!(code, 0, "{err}");
    let plan: Value = serde_json::from_str(&out).unwrap();
    plan["table"]["total"].as_u64().unwrap()
}

#[test]
fn a_buffer_of_our_own_is_captured_and_planned() {
    if !frames_are_shown() {
        return;
    }
    let (scattered, err) = capture(&["--buffer", "scattered"]);
    assert_eq!(scattered["version"], 1);
    assert_eq!(extents(&scattered).len(), 1024);
    assert_eq!(total(&scattered), 1024);
    let provenance = &scattered["provenance"];
    assert_eq!(provenance["rebased"], true);
    assert_eq!(provenance["page_size"], "4K");
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    assert_eq!(provenance["kernel"], kernel.trim());
    // In a pipe: no bar.
    assert!(!err.contains(['\r', '\x1b']), "{err:?}");
    assert!(
        err.contains("captured 4M") && err.contains("rebased"),
        "{err}"
    );
}

#[test]
fn rebased_and_raw_differ_by_one_distance_and_in_no_answer() {
    if !frames_are_shown() {
        return;
    }
    let memory = Memory::new(600, &[]);
    let range = format!("{:#x}+{}K", memory.start() + 100, 600 * 4 - 4);
    let of = |more: &[&str]| {
        let pid = own_pid();
        let mut arguments = vec!["--pid", &pid, "--range", &range, "--device", "irdma"];
        arguments.extend(more);
        capture(&arguments)
    };
    let (rebased, _) = of(&[]);
    let (raw, err) = of(&["--raw"]);
    assert!(err.contains("addresses are real"), "{err}");
    assert_eq!(raw["provenance"]["rebased"], false);
    let shifts: Vec<u64> = extents(&raw)
        .iter()
        .zip(extents(&rebased))
        .map(|(raw, rebased)| raw.0.wrapping_sub(rebased.0))
        .collect();
    assert!(shifts.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(shifts[0] % (2 << 30), 0);
    assert_ne!(shifts[0], 0, "rebased is rebased");
    assert_eq!(total(&raw), total(&rebased));
    // Nothing in the file tells where the program's memory was.
    let first_page = memory.start() as u64;
    assert_eq!(raw["region"]["va"], format!("{first_page:#x}"));
    assert_eq!(
        rebased["region"]["va"],
        format!("{:#x}", 0x7f00_0000_0000 + first_page % (2 << 30))
    );
    let page_number = format!("{:x}", first_page >> 12);
    assert!(raw.to_string().contains(&page_number));
    // One in 512 programs has its memory where all are said to have it.
    let said = format!("{:x}", (0x7f00_0000_0000 + first_page % (2 << 30)) >> 12);
    assert!(
        said == page_number || !rebased.to_string().contains(&page_number),
        "{rebased}"
    );
    // Nor, scrubbed, whose it was.
    let (scrubbed, _) = of(&["--scrub"]);
    let name = scrubbed["name"].as_str().unwrap();
    assert_eq!(name, "2396K of a process");
    // Among hundreds of frames, some has the digits of a short number by chance.
    let mut words = scrubbed.clone();
    words["memory"].take();
    assert!(!words.to_string().contains(&own_pid()), "{words}");
    // The region begins where it was asked to: within its first page.
    assert_eq!(rebased["region"]["offset"], "100");
    assert_eq!(rebased["region"]["length"], "2396K");
    assert_eq!(rebased["device"], "irdma");
}

#[test]
fn of_memory_with_holes_the_longest_stretch_is_captured_and_the_rest_said() {
    if !frames_are_shown() {
        return;
    }
    let memory = Memory::new(64, &[10, 40, 41]);
    let start = memory.start();
    let range = format!("{start:#x}-{:#x}", start + 64 * PAGE);
    let (captured, err) = capture(&["--pid", &own_pid(), "--range", &range, "--raw"]);
    let words = "Partial: 35 of 64 pages left out (3 absent, 32 resident outside this stretch).";
    assert!(err.contains(words), "{err}");
    let provenance = &captured["provenance"];
    assert_eq!(
        provenance["left_out"],
        serde_json::json!({"absent": 3, "swapped": 0, "elsewhere": 32, "unread": 0})
    );
    assert_eq!(
        provenance["asked"],
        serde_json::json!({"start": format!("{start:#x}"), "length": "256K"})
    );
    assert!(
        captured["name"].as_str().unwrap().ends_with(", partial"),
        "{captured}"
    );
    let (code, table, _) = run_with(&["plan", "-"], &captured.to_string());
    assert_eq!(code, 0);
    assert!(
        table.contains(words) && table.contains("Captured on Linux"),
        "{table}"
    );
    assert_eq!(
        captured["region"]["va"],
        format!("{:#x}", start + 11 * PAGE)
    );
    assert_eq!(captured["region"]["length"], format!("{}K", 29 * 4));
    let nothing = format!("{:#x}+4K", start + 40 * PAGE);
    let (code, out, err) = run(&["capture", "--pid", &own_pid(), "--range", &nothing]);
    assert_eq!((code, out.as_str()), (3, ""));
    assert!(
        err.contains("no page is resident (1 absent, 0 in swap)"),
        "{err}"
    );
}

/// A process that does nothing, ended when dropped.
struct Sleeper(Child);

impl Sleeper {
    fn new() -> Self {
        // Spawning ends when the child has become `sleep`.
        let child = Command::new("sleep").arg("60").stdin(Stdio::null()).spawn();
        let sleeper = Self(child.unwrap());
        // A process that has just begun has neither its libraries nor its heap.
        let file = |name: &str| fs::read_to_string(format!("/proc/{}/{name}", sleeper.pid()));
        let sleeps = || file("stat").unwrap().contains(") S ");
        while !(file("maps").unwrap().contains("[heap]") && sleeps()) {
            thread::sleep(Duration::from_millis(1));
        }
        sleeper
    }

    fn pid(&self) -> String {
        self.0.id().to_string()
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_mapping_of_another_process_is_found_by_its_name() {
    if !frames_are_shown() {
        return;
    }
    let sleeper = Sleeper::new();
    let pid = sleeper.pid();
    let (code, list, err) = run(&["capture", "--pid", &pid]);
    assert_eq!(code, 0, "{err}");
    assert!(
        list.contains("(sleep)") && list.contains("in memory") && list.contains("[stack]"),
        "{list}"
    );
    let (stack, _) = capture(&["--pid", &pid, "--mapping", "[stack]"]);
    let name = stack["name"].as_str().unwrap();
    assert!(
        name.starts_with(&format!("process {pid} (sleep), [stack]")),
        "{name}"
    );
    assert!(total(&stack) > 0);
    let (code, _, err) = run(&["capture", "--pid", &pid, "--mapping", "[stak]"]);
    assert_eq!(code, 2);
    assert!(
        err.contains(&format!("umem capture --pid {pid} lists")),
        "{err}"
    );
    let (code, _, err) = run(&["capture", "--pid", &pid, "--range", "0x1000-0x2000"]);
    assert_eq!(code, 2);
    assert!(err.contains("nothing is mapped at 0x1000"), "{err}");
}

#[test]
fn several_mappings_are_a_set_that_plan_takes() {
    if !frames_are_shown() {
        return;
    }
    let sleeper = Sleeper::new();
    let pid = sleeper.pid();
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let stack = maps.lines().find(|line| line.ends_with("[stack]")).unwrap();
    let stack = stack.split(' ').next().unwrap();
    let (set, _) = capture(&[
        "--pid",
        &pid,
        "--range",
        stack,
        "--mapping",
        "[heap]",
        "--range",
        stack,
        "--device",
        "mlx5",
    ]);
    let regions = set["registrations"].as_array().unwrap();
    let names: Vec<_> = regions
        .iter()
        .map(|region| region["name"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), 3);
    assert!(names[0].contains("[heap]"), "{names:?}");
    for region in regions {
        assert_eq!(region["provenance"]["rebased"], true);
        assert!(region["provenance"]["asked"]["length"].is_string());
        assert_eq!(
            region["provenance"]["time"],
            regions[0]["provenance"]["time"]
        );
    }
    // The same memory twice lies in one place: all regions are shifted alike.
    assert_eq!(regions[1]["memory"], regions[2]["memory"]);
    let (code, plan, err) = run_with(&["plan", "-", "--format", "json"], &set.to_string());
    assert_eq!(code, 0, "{err}");
    let plan: Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(plan["total"]["regions"], 3);
    let (_, text, _) = run_with(&["plan", "-"], &set.to_string());
    assert!(text.contains("Captured on Linux"), "{text}");
}

#[test]
fn a_process_that_is_gone_is_said_to_be() {
    let mut child = Command::new("true").spawn().unwrap();
    let pid = child.id().to_string();
    // Ended, but not waited for: it is there, and has no memory.
    while !fs::read(format!("/proc/{pid}/maps")).unwrap().is_empty() {
        thread::sleep(Duration::from_millis(1));
    }
    let (code, out, err) = run(&["capture", "--pid", &pid]);
    assert_eq!((code, out.as_str()), (3, ""), "{err}");
    assert!(err.contains("has ended"), "{err}");
    child.wait().unwrap();
    let (code, _, err) = run(&["capture", "--pid", &pid, "--mapping", "[heap]"]);
    assert_eq!(code, 2);
    assert!(err.contains(&format!("there is no process {pid}")), "{err}");
}

#[test]
fn without_rights_the_way_out_is_named() {
    if !frames_are_shown() {
        return;
    }
    // We are root, then: as nobody, our memory is not to be looked at, and our own has no frame numbers. The program
    // must be where nobody can run it.
    let folder = tempfile::tempdir().unwrap();
    let program = copy_for_everybody(folder.path());
    for arguments in [
        &["--buffer", "transparent"][..],
        &["--pid", &own_pid()],
        &["--pid", &own_pid(), "--mapping", "[heap]"],
    ] {
        let mut command = Command::new(&program);
        command
            .arg("capture")
            .args(arguments)
            .current_dir("/")
            .uid(65534)
            .gid(65534);
        let (code, out, err) = said(command.output().unwrap());
        assert_eq!((code, out.as_str()), (3, ""), "{arguments:?}: {err}");
        assert!(err.contains("way out: run it with sudo"), "{err}");
    }
}

/// What an option says is no longer assumed, and what a capture lacks stands in pictures and in JSON as well.
#[test]
fn a_capture_says_everywhere_what_it_is_worth() {
    if !frames_are_shown() {
        return;
    }
    let (captured, _) = capture(&["--buffer", "scattered"]);
    let text = captured.to_string();
    let assumed = |options: &[&str]| {
        let (code, out, err) = run_with(&[&["plan", "-"], options].concat(), &text);
        assert_eq!(code, 0, "{err}");
        out.lines()
            .filter(|line| line.starts_with("Assumed: "))
            .count()
    };
    let all = assumed(&[]);
    let told = assumed(&["--device", "efa", "--iommu", "vt-d", "--rules", "6.15"]);
    assert_eq!(told, 0, "of {all}");
    let (_, json, _) = run_with(&["plan", "-", "--format", "json"], &text);
    let plan: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(plan["provenance"], captured["provenance"]);
    let (_, _, picture) = run_with(&["plan", "-", "--svg", "/dev/stderr"], &text);
    assert!(picture.contains("Captured on Linux"), "{picture}");
}

#[test]
fn wrong_usage_is_exit_2_before_anything_is_read() {
    let pid = own_pid();
    for (arguments, words) in [
        (&["capture"][..], "--buffer <NAME>|--pid <PID>"),
        (
            &["capture", "--buffer", "scatered"],
            "invalid value 'scatered'",
        ),
        (
            &["capture", "--buffer", "scattered", "--pid", "1"],
            "cannot be used with",
        ),
        (
            &["capture", "--pid", &pid, "--range", "7f00"],
            "write START-END",
        ),
        (
            &["capture", "--buffer", "scattered", "--mapping", "[heap]"],
            "cannot be used with",
        ),
        (
            &["capture", "--pid", &pid, "-o", "x"],
            "give --mapping or --range",
        ),
        (
            &["capture", "--buffer", "scattered", "--device", "mlx9"],
            "--device: \"mlx9\" is not known here",
        ),
        (
            &["capture", "--buffer", "scattered", "--iommu", "vtd"],
            "--iommu: \"vtd\" is not known here",
        ),
        (
            &[
                "capture",
                "--buffer",
                "scattered",
                "-o",
                "/no/such/folder/x",
            ],
            "cannot be written",
        ),
    ] {
        let (code, out, err) = run(arguments);
        assert_eq!((code, out.len()), (2, 0), "{arguments:?}: {err}");
        assert!(err.contains(words), "{arguments:?}: {err}");
    }
}
