//! What registering costs, as ranges that others have measured, each with its sources; never as a single number.

use crate::registration::Registration;
use alloc::{format, string::String, vec::Vec};

/// What one of something costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cost {
    /// What it is the cost of, in the singular.
    pub what: &'static str,
    /// The least, in nanoseconds.
    pub least: u64,
    /// The most, in nanoseconds.
    pub most: u64,
    /// Who measured it.
    pub sources: &'static str,
}

/// Pinning and accounting of a page of 4K that is mapped as one.
pub static SMALL_PAGE: Cost = Cost {
    what: "page of 4K",
    least: 250,
    most: 1000,
    sources: "0.25 µs: UCX's cost model; 0.32: libfabric issue 4738; 0.40: Mooncake PR 855; 1.0: linux-rdma, 2025-05-14",
};

/// The same where huge pages are pinned whole.
pub static HUGE_PAGE: Cost = Cost {
    what: "4K of a huge page",
    least: 7,
    most: 400,
    sources: "0.007 µs, release included: rxe, linux-rdma, 2021-02-12; 0.40: Mooncake PR 855, whose pages are not said to be small",
};

/// What each call takes besides its pages.
pub static REGION: Cost = Cost {
    what: "region",
    least: 16_000,
    most: 1_900_000,
    sources: "16 µs: UCX's cost model; 93: rdma-core PR 767; 1900: NIXL PR 1498, 1265 regions of 40M",
};

/// What a region costs: sentences, each with a range and its sources. Empty of a region that is refused.
pub fn costs(registration: &Registration) -> Vec<String> {
    let Ok(table) = registration.table() else {
        return Vec::new();
    };
    let question = registration.question();
    let mut list = Vec::new();
    if question.request().unpinned().is_none() {
        // Long runs are huge pages, whatever made them.
        let bytes = registration.pages() << question.mr().page.log2();
        let huge = registration.scatter_count().saturating_mul(1 << 20) <= bytes;
        let page = if huge { &HUGE_PAGE } else { &SMALL_PAGE };
        let pages = bytes >> 12;
        let time = |page: u64, region: u64| pages.saturating_mul(page).saturating_add(region);
        list.push(format!(
            "registering takes {}: {pages} times a {} ({}), and a region ({})",
            between(time(page.least, REGION.least), time(page.most, REGION.most)),
            page.what,
            page.sources,
            REGION.sources
        ));
    }
    if table.memory.bytes > 0 {
        let reach = u128::from(question.mr().length) * (1 << 20) / u128::from(table.memory.bytes);
        list.push(format!(
            "a megabyte of table reaches {}; the table has {}. What a card caches is seldom said; misses cost up to twice the latency and 40 % of \
             the throughput (arXiv 2510.00735, by a review of it)",
            rounded(reach),
            rounded(table.memory.bytes.into())
        ));
    }
    list
}

/// Two durations in one unit, the largest of which the first has at least one: "0.2 to 1.9 ms", "2.6 to 10.4 s".
fn between(least: u64, most: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("s", 1_000_000_000), ("ms", 1_000_000), ("µs", 1000)];
    let found = UNITS.into_iter().find(|(_, unit)| least >= *unit);
    let (name, unit) = found.unwrap_or(UNITS[2]);
    let tenths = |nanoseconds: u64| {
        let tenths = nanoseconds / (unit / 10);
        match tenths / 10 {
            // Beyond 100 of a unit the tenths say nothing.
            whole @ 100.. => format!("{whole}"),
            whole => format!("{whole}.{}", tenths % 10),
        }
    };
    format!("{} to {} {name}", tenths(least), tenths(most))
}

/// A number of bytes in the largest unit that it has at least 10 of, rounded down: "512M", "23G".
fn rounded(bytes: u128) -> String {
    const UNITS: [&str; 5] = [" bytes", "K", "M", "G", "T"];
    let unit = (1..UNITS.len())
        .rev()
        .find(|unit| bytes >> (unit * 10) >= 10);
    let unit = unit.unwrap_or(0);
    format!("{}{}", bytes >> (unit * 10), UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    fn of(memory: &str, length: &str) -> Vec<String> {
        let json = format!(
            r#"{{"version":1,"region":{{"length":"{length}"}},"memory":{{{memory}}},"device":"mlx5"}}"#
        );
        let scenario = Scenario::from_json(json.as_bytes()).unwrap();
        costs(&Registration::new(&scenario).unwrap())
    }

    /// 4 GB/s is 1 µs a page, and 256 GB took 20 s: both lie in the range, with their sources.
    #[test]
    fn time_is_a_range_with_sources() {
        let list = of(r#""layout":"scattered""#, "4G");
        assert!(
            list[0].starts_with("registering takes 262 to 1050 ms: 1048576 times a page of 4K"),
            "{list:?}"
        );
        for source in [
            "libfabric issue 4738",
            "Mooncake PR 855",
            "UCX",
            "rdma-core PR 767",
        ] {
            assert!(list[0].contains(source), "{source}: {list:?}");
        }
        let huge = of(r#""page_size":"2M","layout":"scattered""#, "4G");
        assert!(
            huge[0].starts_with("registering takes 7.3 to 421 ms"),
            "{huge:?}"
        );
    }

    #[test]
    fn a_range_has_one_unit() {
        assert_eq!(between(2_621_440_000, 10_487_000_000), "2.6 to 10.4 s");
        assert_eq!(between(16_250, 1_901_000), "16.2 to 1901 µs");
        assert_eq!(between(300, 5000), "0.3 to 5.0 µs");
    }

    /// 8 bytes for 4K: a megabyte of table reaches 512M.
    #[test]
    fn reach_is_arithmetic() {
        let list = of(r#""layout":"scattered""#, "4G");
        assert!(
            list[1].starts_with("a megabyte of table reaches 512M; the table has 8192K"),
            "{list:?}"
        );
        let list = of(r#""page_size":"1G","layout":"scattered""#, "1024G");
        assert!(
            list[1].starts_with("a megabyte of table reaches 128T"),
            "{list:?}"
        );
    }
}
