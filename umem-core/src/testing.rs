//! What tests share.

use crate::size::{PageSize, PageSizes};
#[cfg(feature = "serde")]
use alloc::{
    format,
    string::{String, ToString},
};
use core::ops::Range;
use proptest::prelude::*;

/// A set of at least one page size, each with its log2 in `log2`.
pub(crate) fn page_sizes(log2: Range<u32>) -> impl Strategy<Value = PageSizes> {
    proptest::collection::vec(log2, 1..6)
        .prop_map(|sizes| sizes.into_iter().filter_map(PageSize::from_log2).collect())
}

/// What serde_json says, without the line and the column.
#[cfg(feature = "serde")]
pub(crate) fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).unwrap_or(&text).into()
}

/// What serde says of a wrong value, which is made for those who know Rust's types, in the words that we say it in.
#[cfg(feature = "serde")]
pub(crate) fn plain(theirs: &str) -> String {
    let Some((wrong, expected)) = theirs.split_once(", expected ") else {
        return theirs.into();
    };
    let Some((kind, value)) = wrong.split_once(": ") else {
        return theirs.replace("unknown variant", "unknown name");
    };
    if !kind.starts_with("invalid ") {
        return theirs.into();
    }
    let value: String = match value {
        "map" => "an object".into(),
        "sequence" => "a list".into(),
        _ => value
            .replace(['`'], "")
            .trim_start_matches("boolean ")
            .trim_start_matches("integer ")
            .trim_start_matches("string ")
            .into(),
    };
    let expected = match expected {
        "u64" => format!("an integer from 0 to {}", u64::MAX),
        "u32" => format!("an integer from 0 to {}", u32::MAX),
        "a boolean" => "true or false".into(),
        "a string" => "text".into(),
        "a sequence" => "a list".into(),
        // serde_json's words where it hoped for the name of a variant.
        "string or map" | "variant identifier" => "a name".into(),
        _ if expected.starts_with("struct ") => "an object".into(),
        _ if expected.starts_with("enum ") => "a name".into(),
        other => other.into(),
    };
    format!("is {value}, and must be {expected}")
}
