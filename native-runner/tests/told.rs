//! What `umem plan` tells people beside the entries: how sure it is, what it assumes, which gate refuses, what would help.

mod common;

use common::{run, run_with};
use serde_json::{Value, json};

/// What `plan` prints of a scenario.
fn planned(scenario: &str) -> String {
    let (code, out, error) = run_with(&["plan", "-"], scenario);
    assert_eq!(code, 0, "{error}");
    out
}

/// Rules that all give one answer are counted; of others, those that differ are listed once.
#[test]
fn possible_rules_are_listed_where_they_differ() {
    let out = planned(
        r#"{"version":1,"region":{"length":"64M"},"memory":{"layout":"scattered"},"device":"mlx5",
            "kernel":{"release":"4.18.0-147.el8.aarch64","page_size":"64K"},
            "process":{"memlock":"8M","pinned":0,"privileged":false}}"#,
    );
    assert!(
        out.contains("; all 12 sets of rules that it may have agree\n"),
        "{out}"
    );
    assert!(!out.contains("by the rules of 5"), "{out}");
    let out = planned(
        r#"{"version":1,"region":{"length":"8G"},"device":"efa","kernel":{"release":"6.8.0-84-generic"},
            "memory":{"page_size":"2M","layout":"contiguous","start":"0x200000000"}}"#,
    );
    let lines: Vec<_> = out
        .lines()
        .filter(|line| line.starts_with("  by the rules of "))
        .collect();
    assert_eq!(lines.len(), 1, "{out}");
    assert!(
        out.contains("`umem check` on that machine settles it"),
        "{out}"
    );
}

/// Without CAP_IPC_LOCK a limit counts: one region and a set of it say the same.
#[test]
fn what_depends_on_the_capability_is_said() {
    let rest =
        r#""kernel":{"release":"5.15.0-91-generic"},"device":"bnxt_re","process":{"memlock":"8M"}"#;
    let region = r#""region":{"length":"64M"},"memory":{"layout":"scattered"}"#;
    let refused = "refused at memlock (EFAULT): the limit on locked memory is 8M";
    let one = planned(&format!(r#"{{"version":1,{region},{rest}}}"#));
    assert!(
        one.contains(&format!("  unless the process has CAP_IPC_LOCK: {refused}")),
        "{one}"
    );
    let many = planned(&format!(
        r#"{{"version":1,"registrations":[{{{region},"count":300}}],{rest}}}"#
    ));
    let status = format!(
        "300 regions: 4915200 entries if the process has CAP_IPC_LOCK; without it region 1 of 300 is {refused}"
    );
    assert!(many.starts_with(&status), "{many}");
    assert!(!many.contains("every region passes"), "{many}");
}

/// A refusal that a change mends becomes a table: of how many entries, and of which size.
#[test]
fn what_registers_is_said_in_entries() {
    let out = planned(
        r#"{"version":1,"region":{"length":"64M"},"memory":{"layout":"scattered"},"device":"mlx5",
            "process":{"memlock":"8M","pinned":0,"privileged":false}}"#,
    );
    for line in [
        "  refused → registers, with 16384 entries of 4K: give the program CAP_IPC_LOCK",
        "  refused → registers, with 32 entries of 2M: raise the limit on locked memory",
    ] {
        assert!(out.contains(line), "{line}: {out}");
    }
}

/// Addresses that nobody gave are examples, and no fact about anyone's machine.
#[test]
fn assumed_addresses_are_called_examples() {
    let why = |region: &str, start: &str| {
        let scenario = format!(
            r#"{{"version":1,"region":{{{region}"length":"4M"}},"memory":{{"page_size":"2M","layout":"contiguous"{start}}},"device":"mlx5"}}"#
        );
        let (code, out, _) = run_with(&["plan", "-", "--why"], &scenario);
        assert_eq!(code, 0);
        let (_, why) = out.split_once("\nwhy\n").unwrap();
        why.lines().next().unwrap_or_default().to_owned()
    };
    let (va, start) = (r#""va":"0x7f1200000000","#, r#","start":"0x80000000""#);
    assert_eq!(
        why("", ""),
        "  addresses are examples: region.va and memory.start were not given"
    );
    assert_eq!(
        why(va, ""),
        "  addresses are examples: memory.start was not given"
    );
    assert!(!why(va, start).contains("examples"));
}

/// One size, no larger than the kernel's page: what the mail proposed is what Linux does.
#[test]
fn a_mixed_device_of_one_size_gets_the_table_of_linux() {
    let sentence = "Linux' single size gives the same table.";
    let out = |sizes: &str| {
        planned(&format!(
            r#"{{"version":1,"region":{{"length":"4M"}},"memory":{{"layout":"scattered"}},"device":{{"page_sizes":{sizes},"policy":"mixed"}}}}"#
        ))
    };
    assert!(out(r#"["4K"]"#).contains(sentence));
    assert!(!out(r#"["4K","2M"]"#).contains(sentence));
}

#[test]
fn gates_are_printed_up_to_the_one_that_refuses() {
    let scenario = r#"{"version":1,"region":{"length":"16M"},"memory":{"layout":"contiguous"},"device":"hns",
        "process":{"access":["local-write"],"memlock":0,"pinned":0,"privileged":false,"fork_support":"off"}}"#;
    let (code, out, _) = run_with(&["plan", "-"], scenario);
    assert_eq!(code, 0);
    for line in [
        // What refuses stands first.
        "\ngates\n  refused at memlock (ENOMEM): ",
        "  before it, passed: fork-support, uverbs, driver\n",
        "  refused at memlock (ENOMEM): the limit on locked memory is 0",
        "the kernel says EPERM, but hns returns ENOMEM",
        "  what to do: raise the limit where the program is started: memlock in /etc/security/limits.conf",
    ] {
        assert!(out.contains(line), "{line}: {out}");
    }
    let (_, out, _) = run_with(&["plan", "-", "--format", "json"], scenario);
    let value: Value = serde_json::from_str(&out).unwrap();
    let gates = value["gates"].as_array().unwrap();
    assert_eq!(gates.len(), 4);
    assert_eq!(
        (&gates[3]["gate"], &gates[3]["verdict"], &gates[3]["errno"]),
        (&json!("memlock"), &json!("refuse"), &json!("ENOMEM"))
    );
    assert_eq!(
        (&gates[0]["verdict"], &gates[0]["errno"]),
        (&json!("pass"), &Value::Null)
    );
    let refused = &value["table"]["refused"];
    assert_eq!(
        (&refused["code"], &refused["gate"], &refused["errno"]),
        (&json!("memlock-zero"), &json!("memlock"), &json!("ENOMEM"))
    );
    // What nobody said is not known, and the command that settles it is named.
    let (_, out, _) = run(&["plan", "--preset", "mail"]);
    assert!(
        out.contains("  not known: fork-support, uverbs, memlock"),
        "{out}"
    );
    let (_, out, _) = run(&["plan", "--preset", "mail", "--why"]);
    assert!(
        out.contains("how to find out: `umem doctor --pid PID`"),
        "{out}"
    );
}
