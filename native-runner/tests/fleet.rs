//! What `native-runner/fleet` offers to fleets, held against the programs that read it.

use std::{fs, process::Command};

const UNIT: &str = include_str!("../fleet/umem-watch.service");

/// The unit file, with the program that was just built; its manual page is not installed here.
#[test]
fn systemd_takes_the_unit_file() {
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("umem-watch.service");
    let ours = UNIT.replace("/usr/local/bin/umem", env!("CARGO_BIN_EXE_umem"));
    assert_ne!(ours, UNIT, "the unit starts umem");
    let without_manual: Vec<_> = ours
        .lines()
        .filter(|line| !line.starts_with("Documentation="))
        .collect();
    let verify = |text: &str| {
        fs::write(&unit, text).unwrap();
        let mut command = Command::new("systemd-analyze");
        command.arg("verify").arg(&unit).output()
    };
    let Ok(answer) = verify(&without_manual.join("\n")) else {
        eprintln!("skipped: this machine has no systemd-analyze");
        return;
    };
    let said = String::from_utf8_lossy(&answer.stderr);
    assert!(answer.status.success() && said.is_empty(), "{said}");
    // It would have noticed.
    let wrong = verify(
        &without_manual
            .join("\n")
            .replace("NoNewPrivileges=yes", "NoNewPrivilege=yes"),
    );
    let said = String::from_utf8_lossy(&wrong.unwrap().stderr).into_owned();
    assert!(said.contains("NoNewPrivilege"), "{said}");
}

/// The DaemonSet has the rights of the unit, and none besides.
#[test]
fn daemon_set_and_unit_have_the_same_rights() {
    let set = include_str!("../fleet/umem-watch.daemonset.yaml");
    let of_unit = UNIT
        .lines()
        .find_map(|line| line.strip_prefix("CapabilityBoundingSet="))
        .unwrap();
    let mut of_unit: Vec<_> = of_unit
        .split_whitespace()
        .map(|name| name.strip_prefix("CAP_").unwrap())
        .collect();
    let added = set
        .lines()
        .find_map(|line| line.trim().strip_prefix("add: ["))
        .unwrap();
    let mut of_set: Vec<_> = added
        .trim_end_matches(']')
        .split(',')
        .map(|name| name.trim().trim_matches('"'))
        .collect();
    of_unit.sort_unstable();
    of_set.sort_unstable();
    assert_eq!(of_set, of_unit);
    assert!(set.contains("drop: [\"ALL\"]"));
}
