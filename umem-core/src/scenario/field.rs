//! The field of a JSON text that an error is in: "memory.extents[3]".
//!
//! serde_json says at which line and column it stopped. From there the way back to the field is a walk over a text that is
//! well-formed up to there. Tracking the path while reading costs as much code as all the rest of reading.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

/// A container that the walk is in, and the one of its items that it is at.
enum Within {
    Object(Option<String>),
    Array(u64),
}

/// The path of the field that `error` is about; empty if it is about the whole.
pub(super) fn path(json: &[u8], error: &serde_json::Error) -> String {
    let lines = json.split_inclusive(|byte| *byte == b'\n');
    let before: usize = lines
        .take(error.line().saturating_sub(1))
        .map(<[u8]>::len)
        .sum();
    let end = (before + error.column()).min(json.len());
    walk(&json[..end])
}

/// How many levels a path names: a scenario has fewer, and hostile texts have a hundred.
const DEEPEST: usize = 8;

fn walk(json: &[u8]) -> String {
    let mut within: Vec<Within> = Vec::new();
    let mut rest = json;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match (byte, within.last_mut()) {
            (b'{', _) => within.push(Within::Object(None)),
            (b'[', _) => within.push(Within::Array(0)),
            (b'}' | b']', _) => {
                within.pop();
            }
            (b',', Some(Within::Array(i))) => *i += 1,
            (b',', Some(Within::Object(key))) => *key = None,
            (b'"', top) => {
                let length = text(rest);
                let (text, after) = rest.split_at(length);
                rest = after.get(1..).unwrap_or_default();
                if let Some(Within::Object(key @ None)) = top {
                    *key = Some(String::from_utf8_lossy(text).to_string());
                }
            }
            _ => {}
        }
    }
    let mut path = String::new();
    for container in within.iter().take(DEEPEST) {
        match container {
            Within::Object(Some(key)) if path.is_empty() => path.push_str(key),
            Within::Object(Some(key)) => path.extend([".", key]),
            Within::Object(None) => {}
            Within::Array(i) => path.push_str(&format!("[{i}]")),
        }
    }
    if within.len() > DEEPEST {
        path.push('…');
    }
    path
}

/// How long a string is up to its closing quote.
fn text(json: &[u8]) -> usize {
    let mut escaped = false;
    let closing = json.iter().position(|byte| {
        let closes = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        closes
    });
    closing.unwrap_or(json.len())
}

#[cfg(test)]
mod tests {
    use super::walk;

    #[test]
    fn the_way_back_is_found() {
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
            assert_eq!(walk(json.as_bytes()), path, "{json}");
        }
    }
}
