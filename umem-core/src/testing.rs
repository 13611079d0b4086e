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
