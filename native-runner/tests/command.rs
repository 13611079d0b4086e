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
