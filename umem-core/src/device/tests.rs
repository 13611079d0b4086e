use super::*;
use crate::kernel::Release;
use alloc::{string::ToString, vec::Vec};

fn traits(name: &str, release: &str) -> Traits {
    find(name).unwrap().traits(Some(release.parse().unwrap()))
}

#[test]
#[cfg_attr(
    not(feature = "words"),
    ignore = "without its words a row names no source"
)]
fn names_are_unique_and_every_row_says_where_it_comes_from() {
    let mut names: Vec<_> = CATALOGUE.iter().map(|profile| profile.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), CATALOGUE.len());
    for profile in CATALOGUE {
        let releases = profile.changes.iter().map(|change| change.since.mainline());
        for release in releases
            .map(Some)
            .chain([None, Some(Release::new(5, 2, 0))])
        {
            let source = profile.traits(release).source;
            assert!(
                source.contains(".c") || source.contains(".h"),
                "{}: {source}",
                profile.name
            );
            assert!(source.contains('('), "{}: {source}", profile.name);
            assert!(
                source.contains("[linux ") || source.contains("mails of"),
                "{source}"
            );
        }
        // A change comes after those before it, and after the driver.
        let first = profile.first.map(|first| first.mainline());
        let since: Vec<_> = profile
            .changes
            .iter()
            .map(|change| change.since.mainline())
            .collect();
        assert!(since.is_sorted(), "{}", profile.name);
        assert!(
            since
                .iter()
                .all(|since| first.is_none_or(|first| *since > first)),
            "{}",
            profile.name
        );
    }
}

#[test]
fn each_release_has_the_sizes_of_its_driver() {
    for (name, release, sizes) in [
        ("hns", "7.2", "0xffff000"),
        ("bnxt_re", "5.15.210", "0x201000"),
        ("bnxt_re", "5.16", "0x7ffff000"),
        ("irdma-x722", "5.10.262", "0x201000"),
        ("irdma-x722", "5.14", "0x40201000"),
        ("irdma-x722", "5.18.14", "0x40201000"),
        ("irdma-x722", "5.18.15", "0x201000"),
        ("irdma-x722", "5.19", "0x201000"),
        ("irdma", "6.1.192", "0x40201000"),
        ("mlx5", "5.10.262", "0xfffff000"),
        ("mlx5", "6.11.11", "0xfffff000"),
        ("mlx5", "6.12.30", "0xfffffffffffff000"),
        ("mlx5", "6.16.12", "0xfffffffffffff000"),
        ("mlx5", "6.17", "0xfffff000"),
    ] {
        let bits = u64::from_str_radix(&sizes[2..], 16).unwrap();
        assert_eq!(
            traits(name, release).page_sizes.bits(),
            bits,
            "{name} {release}"
        );
    }
}

#[test]
fn each_release_has_the_longest_segment_of_its_driver() {
    for (name, release, most) in [
        ("hns", "5.10.236", u32::MAX),
        ("hns", "5.10.237", 1 << 31),
        ("hns", "6.1.134", u32::MAX),
        ("hns", "6.1.135", 1 << 31),
        ("hns", "6.14", u32::MAX),
        ("hns", "6.15", 1 << 31),
        ("mana_ib", "6.2", u32::MAX),
        ("rxe", "5.4", 1 << 16),
        ("rxe", "5.5", u32::MAX),
        ("ionic", "7.3.4", 1 << 16),
    ] {
        assert_eq!(traits(name, release).max_segment, most, "{name} {release}");
    }
}

#[test]
fn drivers_have_a_first_release() {
    for (name, before, first) in [
        ("irdma", "5.13.19", "5.14"),
        ("erdma", "5.19.17", "6.0"),
        ("mana_ib", "6.1.192", "6.2"),
        ("ionic", "6.17.13", "6.18"),
        ("siw", "5.2", "5.3"),
    ] {
        let profile = find(name).unwrap();
        assert!(
            !profile.is_in(Some(before.parse().unwrap())),
            "{name} {before}"
        );
        assert!(
            profile.is_in(Some(first.parse().unwrap())),
            "{name} {first}"
        );
        assert!(profile.is_in(None));
    }
}

#[test]
fn a_bug_is_there_from_its_first_release_to_the_one_that_mends_it() {
    let bugs = |name: &str, release: Option<&str>| {
        let release = release.map(|release| release.parse().unwrap());
        let bugs = find(name).unwrap().bugs.iter();
        bugs.filter(|bug| bug.is_in(release)).count()
    };
    for (name, release, count) in [
        ("mlx5", "5.10.262", 1),
        ("mlx5", "6.11", 0),
        ("mlx5", "6.12.22", 2),
        ("mlx5", "6.12.23", 1),
        ("mlx5", "6.12.42", 0),
        ("mlx5", "6.14", 2),
        ("mlx5", "6.15", 1),
        ("mlx5", "6.17", 0),
        ("irdma-x722", "5.13", 0),
        ("irdma-x722", "5.14", 1),
        ("irdma-x722", "5.18.15", 0),
        ("efa", "6.12.109", 1),
        ("efa", "6.12.110", 0),
    ] {
        assert_eq!(bugs(name, Some(release)), count, "{name} {release}");
    }
    assert_eq!(bugs("mlx5", None), 0);
    // The newest mlx4 still chooses for the program's address.
    assert_eq!(bugs("mlx4", None), 1);
    assert_eq!(
        find("irdma-x722").unwrap().bugs[0]
            .mended
            .unwrap()
            .to_string(),
        "5.19 (also 5.18.15)"
    );
}

/// KMALLOC_MAX_SIZE: 4M with pages of 4K, 512M with pages of 64K on arm64.
#[test]
fn the_longest_kmalloc_limits_a_table() {
    use crate::size::PageSize;
    let limits = find("ionic").unwrap().traits(None).entry_limits;
    let region = limits
        .iter()
        .find(|limit| limit.scope == Scope::Region)
        .unwrap();
    assert_eq!(region.entries(PageSize::K4), 524_288);
    assert_eq!(region.entries(PageSize::K64), 64 << 20);
}
