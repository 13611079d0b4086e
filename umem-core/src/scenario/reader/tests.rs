//! The reader beside serde alone, its slow twin.

use super::*;
use crate::testing::{plain, without_place};
use alloc::vec;
use proptest::prelude::*;

fn read(text: &str, piece: usize) -> Result<Scenario, ScenarioError> {
    let mut reader = ScenarioReader::new();
    for piece in text.as_bytes().chunks(piece) {
        reader.feed(piece)?;
    }
    reader.finish()
}

fn text(extents: &str) -> String {
    format!(
        r#"{{"version":1,"name":"\"memory\":{{\"extents\":[","region":{{"length":"4K"}},
          "memory" : {{ "extents" : {extents}, "length": "4K" }}, "device":"mlx5"}}"#
    )
}

/// The slow twin: serde alone.
fn by_serde(text: &str) -> Result<Scenario, serde_json::Error> {
    serde_json::from_str(text)
}

#[test]
fn any_pieces_say_what_the_whole_says() {
    for extents in [
        "[]",
        r#"[["0x1000",4096]]"#,
        r#"[ [ "0x1000" , 4096 ] , ["0XfF000","2M"], [4096, "0x1000"],
             ["0xffffffffffffffff",999999999999999999],["0x0",0] ]"#,
    ] {
        let text = text(extents);
        let expected = by_serde(&text).unwrap();
        for piece in [1, 2, 3, 7, 20, text.len()] {
            assert_eq!(read(&text, piece).unwrap(), expected, "{extents}");
        }
    }
}

#[test]
fn only_the_memory_has_extents() {
    for text in [
        r#"{"version":1,"device":{"extents":[["0x1000",4096]]}}"#,
        r#"{"memory":{"x":{"extents":[[1]]}}}"#,
        r#"{"memory":{"extents":{"a":[1]}}}"#,
        r#"{"memory":{},"x\"memory":{"extents":[[]]}}"#,
        r#"{"memory":{"extents":[],"extents":[["0x1000",4096]]}}"#,
    ] {
        let error = read(text, 5).unwrap_err().to_string();
        let serde = plain(&without_place(&by_serde(text).unwrap_err()));
        assert!(error.contains(&serde), "{text}: {error}, not {serde}");
    }
}

/// Sets by serde alone are the twin here.
#[test]
fn each_region_of_a_set_has_its_own_extents() {
    let text = r#"{"version":1,"name":"\"memory\":{\"extents\":[","registrations":[
        {"region":{"length":"4K"},"memory":{"extents":[["0x1000",4096],["0x9000","2M"]],"length":"4K"}},
        {"region":{"length":"4K"},"memory":{"layout":"scattered"}},
        {"memory" : { "length":"4K", "extents" : [ ] },"region":{"length":"4K"},"count":7},
        {"memory":{"extents":[["0x7000",4096]]},"region":{"length":"4K"}}],"device":"mlx5"}"#;
    let expected: Set = serde_json::from_str(text).unwrap();
    for piece in [1, 2, 3, 7, 20, text.len()] {
        let mut reader = ScenarioReader::new();
        for piece in text.as_bytes().chunks(piece) {
            reader.feed(piece).unwrap();
        }
        assert_eq!(reader.finish_set().unwrap(), expected);
    }
}

/// The text of a set's extents may be longer than what is kept around them, and all of them together have the limit.
#[test]
fn the_extents_of_a_set_are_streamed_and_counted_together() {
    let region = |extents: usize| {
        let extents = vec![r#"["0x1000",4096]"#; extents].join(",");
        format!(r#"{{"region":{{"length":"4K"}},"memory":{{"extents":[{extents}]}}}}"#)
    };
    let set = |regions: &[usize]| {
        let regions: Vec<_> = regions.iter().map(|extents| region(*extents)).collect();
        let regions = regions.join(",");
        format!(r#"{{"version":1,"device":"mlx5","registrations":[{regions}]}}"#)
    };
    let read = |text: &str, most| {
        let mut reader = ScenarioReader::with_limit(most);
        reader.feed(text.as_bytes())?;
        reader.finish_set()
    };
    let long = set(&[80_000, 3]);
    assert!(long.len() > LONGEST_REST);
    let lengths: Vec<_> = read(&long, 80_003)
        .unwrap()
        .registrations
        .iter()
        .map(|member| member.memory.extents.as_ref().map(|extents| extents.len()))
        .collect();
    assert_eq!(lengths, [Some(80_000), Some(3)]);
    let error = read(&set(&[2, 2]), 3).unwrap_err();
    assert_eq!(error.field(), "registrations[1].memory.extents");
    let error = read(&set(&[1, 1]).replace("0x1000", "x"), 9).unwrap_err();
    assert_eq!(error.field(), "registrations[0].memory.extents[0]");
}

/// serde's own would take a list of values for a struct, whose fields then have no names.
#[test]
fn a_list_is_not_a_struct() {
    for (text, words) in [
        (
            r#"{"memory":[{"extents":[[]]}]}"#,
            "memory: is a list, and must be an object",
        ),
        (
            r#"[{"memory":{"extents":[[]]}}]"#,
            "is a list, and must be an object",
        ),
    ] {
        assert_eq!(read(text, 5).unwrap_err().to_string(), words);
    }
}

#[test]
fn a_value_of_another_type_is_named_with_its_path() {
    for (value, words) in [
        ("null", "null, and must be a size"),
        ("true", "true, and must be a size"),
        ("-1", "-1, and must be a size"),
        ("1.5", "a number that is a fraction"),
        (
            "18446744073709551616",
            "a number that is a fraction or too large",
        ),
        ("[1]", "a list, and must be a size"),
        ("{}", "an object, and must be a size"),
    ] {
        let text = format!(r#"{{"version":1,"region":{{"length":{value}}}}}"#);
        let error = read(&text, 9).unwrap_err().to_string();
        let words = format!("region.length: is {words}");
        assert!(error.starts_with(&words), "{error}");
    }
    let text = r#"{"device":{"page_sizes":["4K",["x"]]}}"#;
    let error = read(text, 9).unwrap_err().to_string();
    assert!(error.starts_with("device.page_sizes[1]: "), "{error}");
}

#[test]
fn a_wrong_extent_is_named() {
    for (extents, words) in [
        (
            r#"[["0x1000",4096],["0x",1]]"#,
            "memory.extents[1]: \"0x\" is not a valid address",
        ),
        (
            r#"[["0x10000000000000000",1]]"#,
            "memory.extents[0]: \"0x10000000000000000\"",
        ),
        (r#"[["0x1",01]]"#, "memory.extents[0]: invalid number"),
        (r#"[["0x1",1,1]]"#, "memory.extents[0]: "),
        (
            r#"[["0x1"]]"#,
            "memory.extents[0]: has 1 values, and must be [address, length]",
        ),
        (
            r#"[["0x1",1],]"#,
            "memory.extents[1]: expected [address, length]",
        ),
        (
            r#"[["0x1",1]["0x1",1]]"#,
            "memory.extents[1]: expected a comma",
        ),
        ("[,]", "memory.extents[0]: expected [address, length]"),
        ("[7]", "memory.extents[0]: expected [address, length]"),
    ] {
        for piece in [1, 9, 1000] {
            let error = read(&text(extents), piece).unwrap_err().to_string();
            assert!(error.starts_with(words), "{extents}: {error}");
        }
    }
    let cut = text(r#"[["0x1000",4096],["0x2"#);
    let cut = &cut[..cut.find(r#""0x2"#).unwrap()];
    let error = read(cut, 4).unwrap_err().to_string();
    assert_eq!(error, "memory.extents[1]: the text ends within the list");
}

#[test]
fn hostile_texts_take_no_memory() {
    let mut reader = ScenarioReader::new();
    let junk = [b'x'; 1 << 16];
    let fed = (0..1 << 10).find_map(|i| reader.feed(&junk).err().map(|error| (i, error)));
    let (pieces, error) = fed.unwrap();
    assert!(pieces <= LONGEST_REST >> 16, "{error}");
    let mut reader = ScenarioReader::new();
    reader.feed(br#"{"memory":{"extents":[["#).unwrap();
    assert!(reader.feed(&junk).is_err());
    let mut reader = ScenarioReader::with_limit(1);
    let two = text(r#"[["0x1000",4096],["0x2000",4096]]"#);
    let error = reader.feed(two.as_bytes()).unwrap_err().to_string();
    assert!(error.starts_with("memory.extents: more than 1,"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// Whatever stands where the extents are, serde alone accepts and refuses the same.
    #[test]
    fn serde_accepts_the_same(
        extents in prop::collection::vec(
            prop::sample::select(vec![
                "[", "]", ",", " ", "\"0x1000\"", "4096", "[\"0x1000\",4096]", "{", "}", "\"", "\\", "1e3", "-1", "[\"0x1\",0]",
            ]),
            0..8,
        ),
        piece in 1usize..40,
    ) {
        let text = text(&alloc::format!("[{}]", extents.concat()));
        match (read(&text, piece), by_serde(&text)) {
            (Ok(ours), Ok(theirs)) => prop_assert_eq!(ours, theirs),
            (ours, theirs) => prop_assert!(ours.is_err() && theirs.is_err(), "{}: {:?} {:?}", text, ours, theirs),
        }
    }
}
