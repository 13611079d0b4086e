//! What the property tests share.

use crate::size::{PageSize, PageSizes};
use core::ops::Range;
use proptest::prelude::*;

/// A set of at least one page size, each with its log2 in `log2`.
pub(crate) fn page_sizes(log2: Range<u32>) -> impl Strategy<Value = PageSizes> {
    proptest::collection::vec(log2, 1..6)
        .prop_map(|sizes| sizes.into_iter().filter_map(PageSize::from_log2).collect())
}
