//! The command line, as scripts call it: what it prints, and how it exits.

mod common;

use std::io::Write;

use common::{json, run, run_with};
use serde_json::{Value, json};

const VECTORS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../umem-core/tests/vectors/linux-6.1.192.jsonl"
);

#[test]
fn the_table_begins_with_the_status_line() {
    for (preset, status) in [
        ("mail", "257 entries: 255 × 4K + 1 × 1M + 1 × 2M"),
        ("misaligned-iova", "258 entries: 256 × 4K + 1 × 1M + 1 × 2M"),
        ("one-size", "2 entries: 2 × 2M"),
        ("unaligned", "1 entry: 1 × 4092K"),
    ] {
        let (code, out, _) = run(&["plan", "--preset", preset]);
        assert_eq!((code, out.lines().next()), (0, Some(status)));
    }
}

#[test]
fn the_registration_format_has_its_keys() {
    let mail = json(&["plan", "--preset", "mail", "--format", "json"]);
    assert_eq!(mail["pages"], 1023);
    assert_eq!(
        mail["scatter"],
        json!({"count": 1, "entries": [["0x40001000", 4190208]]})
    );
    assert_eq!(mail["dma"]["count"], 1);
    assert_eq!(mail["table"]["policy"], "mixed");
    assert_eq!(mail["table"]["page_size"], Value::Null);
    assert_eq!(mail["table"]["total"], 257);
    assert_eq!(
        mail["table"]["by_size"],
        json!([{"size": 4096, "count": 255}, {"size": 1048576, "count": 1}, {"size": 2097152, "count": 1}])
    );
    assert_eq!(mail["table"]["bytes"], 257 * 8);
    assert_eq!(mail["table"]["limited_by"][0]["code"], "alignment");
    assert_eq!(mail["table"]["limited_by"][0]["bit"], 12);
    assert_eq!(
        mail["alternatives"]["single"],
        json!({"total": 2, "page_size": 2097152})
    );
    assert_eq!(
        mail["alternatives"]["unaligned"],
        json!({"total": 1, "page_size": null})
    );
    assert_eq!(mail["advice"][0]["after"]["entries"], 2);
    // No kernel cuts such a table, so nothing stronger is claimed.
    let cut = &mail["evidence"][3];
    assert_eq!(
        (&cut["stage"], &cut["by"]),
        (&json!("cut"), &json!("proposed"))
    );
    assert_eq!(mail["kernel"]["certainty"], "exact");
    assert!(mail.get("entries").is_none());
}

#[test]
fn entries_are_the_last_key_and_all_there() {
    let (code, out, _) = run(&["plan", "--preset", "mail", "--format", "json", "--entries"]);
    assert_eq!(code, 0);
    let value: Value = serde_json::from_str(&out).unwrap();
    let entries = value["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 257);
    assert_eq!(
        entries[0],
        json!({"offset": 4096, "address": "0x40001000", "size": 4096})
    );
    assert_eq!(
        entries[256],
        json!({"offset": 2097152, "address": "0x40200000", "size": 2097152})
    );
    let last_key = out.lines().rfind(|line| line.starts_with("  \""));
    assert_eq!(last_key, Some("  \"entries\": ["));
}

#[test]
fn a_refusal_is_an_answer() {
    let scenario = r#"{"version":1,"region":{"offset":"4K","length":"4092K"},
        "memory":{"page_size":"2M","layout":"contiguous"},"device":{"page_sizes":["2M"]}}"#;
    let (code, out, _) = run_with(&["plan", "-", "--format", "json"], scenario);
    let value: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (code, &value["table"]["refused"]["code"]),
        (0, &json!("no-exact-tiling"))
    );
    let (code, out, _) = run_with(&["plan", "-"], scenario);
    assert_eq!(code, 0);
    let message = value["table"]["refused"]["message"].as_str().unwrap();
    let (_, status) = out
        .lines()
        .next()
        .unwrap()
        .split_once("refused at page-size: ")
        .unwrap();
    // What to do stands below, with the gate.
    assert!(message.starts_with(status), "{out}");
    assert!(
        message.ends_with("align the region to 2M, or let the device use smaller pages"),
        "{message}"
    );
}

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

#[test]
fn a_set_is_planned_as_a_whole() {
    let set = r#"{"version":1,"name":"1G after 1G","device":"ionic","registrations":[
        {"region":{"length":"1G"},"memory":{"layout":"scattered"},"count":4}]}"#;
    let (code, out, _) = run_with(&["plan", "-"], set);
    assert_eq!(code, 0);
    for line in [
        "region 4 of 4 is refused at firmware (EINVAL): 3 regions before this one have 786432 entries",
        "together: 4 regions, 1048576 pages, 1048576 entries",
        "budget: 1048576 of 1015808 entries",
        "4 regions, refused at region 4 → 4 regions, 2048 entries: back the 4 regions of 2M or more with 2M pages",
    ] {
        assert!(out.contains(line), "{line}: {out}");
    }
    let (_, out, _) = run_with(&["plan", "-", "--format", "json"], set);
    let value: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        value["budget"],
        json!({"entries": 1048576, "of": 1015808, "refused_at": 4})
    );
    assert_eq!(value["registrations"][0]["registered"], 3);
    assert_eq!(value["refused"]["gate"], "firmware");
    let (_, out, _) = run_with(&["plan", "-", "--device", "mlx5", "--format", "json"], set);
    let value: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(value["budget"]["refused_at"], Value::Null);
    let (code, _, error) = run_with(&["plan", "-", "--length", "4K"], set);
    assert_eq!(code, 2);
    assert!(error.contains("--length: belongs to one region"), "{error}");
}

#[test]
fn options_change_the_scenario() {
    let total = |arguments: &[&str]| {
        let mut all = vec!["plan", "--preset", "mail", "--format", "json"];
        all.extend(arguments);
        json(&all)["table"]["total"].as_u64().unwrap()
    };
    assert_eq!(total(&["--offset", "0", "--length", "4M"]), 2);
    assert_eq!(total(&["--policy", "single"]), 2);
    assert_eq!(total(&["--policy", "single", "--iommu", "vt-d"]), 1023);
    assert_eq!(total(&["--device", "irdma"]), 1);
    assert_eq!(total(&["--device", "ionic", "--rules", "5.10"]), 1023);
    assert_eq!(total(&["--device", "mlx5", "--policy", "unaligned"]), 1);
}

#[test]
fn wrong_input_is_exit_2_with_the_cores_words() {
    for (arguments, words) in [
        (
            &["plan", "--preset", "male"][..],
            "\"male\" is not known here; there are mail",
        ),
        (
            &["plan", "--preset", "mail", "--length", "0"],
            "region.length: is 0",
        ),
        (
            &["plan", "--preset", "mail", "--length", "4KB"],
            "--length: \"4KB\" is not a valid size",
        ),
        (
            &["plan", "--preset", "mail", "--device", "mlx6"],
            "device: \"mlx6\" is not known here",
        ),
        (&["plan", "/no/such/file"], "/no/such/file cannot be read"),
        (&["plan"], "required"),
        (&["plan", "a", "--preset", "mail"], "cannot be used with"),
        (&["view", "/no/such/file"], "/no/such/file cannot be read"),
        (
            &["vectors", "verify", "/no/such/file"],
            "/no/such/file cannot be read",
        ),
        (&["list", "gizmos"], "invalid value"),
    ] {
        let (code, out, err) = run(arguments);
        assert_eq!(code, 2, "{arguments:?}: {err}");
        assert!(err.contains(words), "{arguments:?}: {err}");
        assert_eq!(out, "");
    }
    let (code, _, err) = run_with(
        &["plan", "-"],
        r#"{"version":1,"region":{"length":"4M","ofset":1}}"#,
    );
    assert_eq!(code, 2);
    assert!(
        err.contains("standard input: region.ofset: unknown field `ofset`"),
        "{err}"
    );
}

/// README and book show it: a picture that plays where there is no script, as small as a photograph.
#[test]
fn a_picture_that_plays_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail.svg");
    let name = path.to_str().unwrap();
    let (code, _, err) = run(&["plan", "--preset", "mail", "--svg", name, "--animate"]);
    assert_eq!(code, 0, "{err}");
    let svg = std::fs::read_to_string(&path).unwrap();
    assert!(svg.len() < 60_000, "{} bytes", svg.len());
    assert!(!svg.contains("<script") && !svg.contains("href"), "{svg}");
    assert!(svg.contains("@media (prefers-reduced-motion:reduce){*{animation:none!important}}"));
    let readme = include_str!("../../docs/mail.svg");
    assert!(
        svg == readme,
        "docs/mail.svg is old: umem plan --preset mail --svg docs/mail.svg --animate"
    );
    let (code, _, err) = run(&["plan", "--preset", "mail", "--animate"]);
    assert_eq!(code, 2);
    assert!(err.contains("--svg"), "{err}");
}

#[test]
fn a_picture_is_written_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail.svg");
    let (code, ..) = run(&["plan", "--preset", "mail", "--svg", path.to_str().unwrap()]);
    let svg = std::fs::read_to_string(&path).unwrap();
    assert_eq!(code, 0);
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n") && svg.contains("255 × 4K"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let (code, _, err) = run(&[
        "plan",
        "--preset",
        "mail",
        "--svg",
        "/no/such/folder/mail.svg",
    ]);
    assert_eq!(code, 2);
    assert!(
        err.contains("/no/such/folder/mail.svg cannot be written"),
        "{err}"
    );
}

#[test]
fn the_catalogues_are_listed() {
    for (catalogue, name) in [
        ("presets", "mail"),
        ("devices", "vmw_pvrdma"),
        ("iommus", "smmuv3-64k"),
        ("kernels", "5.10"),
    ] {
        let (code, out, _) = run(&["list", catalogue]);
        assert_eq!(code, 0);
        assert!(
            out.lines()
                .any(|line| line.starts_with(&format!("{name} "))),
            "{out}"
        );
    }
}

#[test]
fn recorded_answers_replay_plain_and_compressed() {
    let plain = std::fs::read(VECTORS).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let gz = folder.path().join("v.jsonl.gz");
    let mut encoder = flate2::write::GzEncoder::new(
        std::fs::File::create(&gz).unwrap(),
        flate2::Compression::fast(),
    );
    encoder.write_all(&plain).unwrap();
    encoder.finish().unwrap();
    let xz = folder.path().join("v.jsonl.xz");
    let file = std::fs::File::create(&xz).unwrap();
    let mut encoder =
        lzma_rust2::XzWriter::new(file, lzma_rust2::XzOptions::with_preset(1)).unwrap();
    encoder.write_all(&plain).unwrap();
    encoder.finish().unwrap();
    let files = [VECTORS, gz.to_str().unwrap(), xz.to_str().unwrap()];
    let (code, out, err) = run(&["vectors", "verify", files[0], files[1], files[2]]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(
        out.contains("best   150 held, 0 differed") && out.contains("210 held, 0 differed"),
        "{out}"
    );
}

#[test]
fn a_wrong_answer_is_shown_and_exit_1() {
    let line = std::fs::read_to_string(VECTORS)
        .unwrap()
        .lines()
        .next()
        .unwrap()
        .replace("\"best\":4096", "\"best\":8192");
    let (code, out, _) = run_with(&["vectors", "verify", "-"], &line);
    assert_eq!(code, 1);
    assert!(
        out.contains("best   0 held, 1 differed")
            && out.contains("best: the kernel says 8192, the rules say 4096")
            && out.contains(&line)
    );
    let (code, _, err) = run_with(&["vectors", "verify", "-"], "{\"kind\":\"worst\"}\n");
    assert_eq!(code, 2);
    assert!(
        err.contains("-:1: kind: \"worst\" is not known here"),
        "{err}"
    );
    assert_eq!(run_with(&["vectors", "verify", "-"], "").0, 2);
}
