//! Held against serde_json, which parses the same.

use super::Json;
use alloc::{
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};
use proptest::prelude::*;
use serde_json::Value;

/// Whether both are the same value. Keys that are there twice, the format refuses later.
fn same(ours: &Json, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Json::Null, Value::Null) => true,
        (Json::Flag(ours), Value::Bool(theirs)) => ours == theirs,
        (Json::Number(ours), Value::Number(theirs)) => Some(*ours) == theirs.as_u64(),
        (Json::Negative(ours), Value::Number(theirs)) => Some(*ours) == theirs.as_i64(),
        (Json::OtherNumber, Value::Number(theirs)) => theirs.is_f64(),
        (Json::Text(ours), Value::String(theirs)) => ours == theirs,
        (Json::List(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len()
                && ours
                    .iter()
                    .zip(theirs)
                    .all(|(ours, theirs)| same(ours, theirs))
        }
        (Json::Object(ours), Value::Object(theirs)) => {
            let last = |name: &str| ours.iter().rfind(|(key, _)| key == name);
            ours.iter().all(|(key, _)| theirs.contains_key(key))
                && theirs
                    .iter()
                    .all(|(key, theirs)| last(key).is_some_and(|(_, ours)| same(ours, theirs)))
        }
        _ => false,
    }
}

fn compare(text: &[u8]) {
    let shown = String::from_utf8_lossy(text);
    match (Json::parse(text), serde_json::from_slice::<Value>(text)) {
        (Ok(ours), Ok(theirs)) => {
            assert!(same(&ours, &theirs), "{shown}: {ours:?}, but {theirs:?}")
        }
        (Err(_), Err(_)) => {}
        // The format has no use for any fraction, so how large one is does not matter.
        (Ok(_), Err(theirs)) if theirs.to_string().starts_with("number out of range") => {}
        (ours, theirs) => panic!("{shown}: {ours:?}, but {theirs:?}"),
    }
}

#[test]
fn what_is_well_formed_is_what_serde_json_takes() {
    for text in [
        "",
        " ",
        "null",
        "nul",
        "nulls",
        "true",
        "truth",
        "false",
        "falsch",
        "0",
        "-0",
        "00",
        "01",
        "-",
        "-1",
        "-01",
        "1.",
        "1.5",
        ".5",
        "1e",
        "1e5",
        "1E+5",
        "1e-",
        "1e400",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775808",
        "-9223372036854775809",
        "0x1",
        "+1",
        "[]",
        "[ ]",
        "[1,2]",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[",
        "[1",
        "]",
        "{}",
        "{ }",
        "{\"a\":1}",
        "{\"a\":1,}",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1,\"a\":2}",
        "{",
        "{\"a\"",
        "}",
        "\"\"",
        "\"",
        "\"a",
        "\"\\\"\"",
        "\"\\",
        "\"\\x\"",
        "\"\\u0041\"",
        "\"\\u00g1\"",
        "\"\\u12\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"\\ud83d\\n\"",
        "\"\\ud83d\\u0041\"",
        "\"\\ude00\"",
        "\"\\b\\f\\n\\r\\t\\/\"",
        "\"\t\"",
        "\"ä…\u{1f600}\"",
        "\"\\ä\"",
        "ä",
        "\u{feff}{}",
        "1 1",
        "{} x",
        " \n\t\r1\n",
        "\u{b}1",
        "// x\n1",
    ] {
        compare(text.as_bytes());
    }
    for text in [&b"\"\xff\""[..], b"\xff", b"\"\xc3", b"[\"\xf0\x9f\"]"] {
        compare(text);
    }
    for depth in [126, 127, 128, 129, 100_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            compare(format!("{}1{}", open.repeat(depth), close.repeat(depth)).as_bytes());
            compare(open.repeat(depth).as_bytes());
        }
    }
}

#[test]
fn the_field_of_a_mistake_is_found() {
    for (json, path) in [
        (r#""#, ""),
        (r#"{"a":1"#, "a"),
        (r#"{"a":1,"#, ""),
        (r#"{"a":{"b":[1,[2,"x"#, "a.b[1][1]"),
        (r#"{"a":{"b":[1,[2,3]],"c":"},{" "#, "a.c"),
        (r#"{"a":{"b":1}"#, "a"),
        (r#"{"q\"{":"\\","b":[{}"#, "b[0]"),
        (r#"[{"a":1},{"b""#, "[1].b"),
        (r#"[[[[[[[["#, "[0][0][0][0][0][0][0][0]"),
        (r#"[[[[[[[[["#, "[0][0][0][0][0][0][0][0]…"),
    ] {
        assert_eq!(
            Json::parse(json.as_bytes()).unwrap_err().field,
            path,
            "{json}"
        );
    }
}

#[test]
fn a_mistake_has_its_place() {
    for (json, said) in [
        ("", "EOF while parsing a value at line 1 column 1"),
        ("{\n  \"a\": ä\n}", "expected value at line 2 column 8"),
        ("[1,\n2", "EOF while parsing a list at line 2 column 2"),
        ("{} x", "something follows the scenario at line 1 column 4"),
    ] {
        assert_eq!(Json::parse(json.as_bytes()).unwrap_err().to_string(), said);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    /// Pieces of JSON in any order, and sometimes a byte that is none.
    #[test]
    fn serde_json_takes_the_same(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "[", "]", "{", "}", ",", ":", " ", "\n", "\"", "\\", "\"a\"", "\"a\":", "\\u", "d83d", "\\ude00", "0", "1", "-", ".", "e", "+", "12",
                "null", "true", "fals", "\u{7f}", "\u{1}", "ä", "[1,2]", "{\"b\":[]}",
            ]),
            0..12,
        ),
        broken in prop::option::weighted(0.1, (0usize..40, any::<u8>())),
    ) {
        let mut text: Vec<u8> = pieces.concat().into_bytes();
        if let Some((at, byte)) = broken && let Some(old) = text.get_mut(at) {
            *old = byte;
        }
        compare(&text);
    }
}
