//! The rules that the running kernel's answers are judged by.
//!
//! A version tells the rules only if it says exactly which commits the kernel has: mainline, stable, and Debian's, since Debian
//! patches none of this code. Any other kernel may carry any of these commits, so it is not judged.

use std::{fs, path::Path};

use umem_core::kernel::{BlockIterator, GENERATIONS, Interior, KernelRules};

/// The rules of this kernel, or why they are not known.
pub fn rules() -> Result<KernelRules, String> {
    let kernel = rustix::system::uname();
    replaced(Path::new("/"))?;
    of(
        &kernel.release().to_string_lossy(),
        &kernel.version().to_string_lossy(),
    )
}

/// The generation of umem-core whose answers are those of this kernel, or why it is not known.
pub fn generation() -> Result<&'static KernelRules, String> {
    let rules = rules()?;
    // A program's memory never reaches the sums that `overflow_checked` is about.
    let answers = |of: &KernelRules| KernelRules {
        name: "",
        about: "",
        verified: None,
        overflow_checked: true,
        ..*of
    };
    let same = |other: &&KernelRules| answers(other) == answers(&rules);
    GENERATIONS
        .iter()
        .rev()
        .find(same)
        .ok_or_else(|| "its rules are a mixture of two generations".into())
}

/// An error if a module from elsewhere, such as NVIDIA's OFED, replaces the kernel's own code. The kernel marks such modules
/// (taint, "O").
fn replaced(root: &Path) -> Result<(), String> {
    for module in ["ib_core", "ib_uverbs"] {
        let taint = fs::read_to_string(root.join("sys/module").join(module).join("taint"));
        if taint.is_ok_and(|taint| taint.contains('O')) {
            return Err(format!(
                "the module {module} was built outside of this kernel, so its version says nothing about it"
            ));
        }
    }
    Ok(())
}

/// A release: 6.12.95, or 6.12 with a third number of 0.
type Point = (u32, u32, u32);

/// The newest release that the rules were read from.
const NEWEST: Point = (7, 3, u32::MAX);

/// The oldest release that umem-core has all rules for. From 5.13 on, older ones drop sizes below the kernel's page from every
/// bitmap; 6.1 and 6.6 do so until the point releases named in [`OLD_BRANCHES`].
const OLDEST: Point = (6, 7, 0);

/// A change of the rules, and where it came: the first mainline release, and the first point release of each older branch.
struct Change {
    mainline: (u32, u32),
    stable: &'static [Point],
    /// What it does to the rules.
    apply: fn(&mut KernelRules),
}

impl Change {
    fn is_in(&self, (major, minor, point): Point) -> bool {
        (major, minor) >= self.mainline
            || self
                .stable
                .iter()
                .any(|&(a, b, first)| (a, b) == (major, minor) && point >= first)
    }
}

/// The point releases from which older stable branches are covered: 4fbc3a52cd4d, "Fix umem iterator when PAGE_SIZE is greater
/// then HCA pgsz".
const OLD_BRANCHES: &[Point] = &[(6, 1, 68), (6, 6, 7)];

/// What changed since [`OLDEST`], each with the first releases that have it. A complete table can replace this one and
/// [`OLD_BRANCHES`]: [`of`] knows nothing else about releases.
///
/// The check for sums beyond 2^64 (09ea6837a043) is always on here: a program's memory never reaches such sums, so no answer
/// depends on it.
const CHANGES: &[Change] = &[
    // 486055f5e09d, "Fix best page size finding when it can cross SG entries"
    Change {
        mainline: (6, 15),
        stable: &[(6, 1, 141), (6, 6, 93), (6, 12, 31), (6, 14, 9)],
        apply: |rules| {
            rules.interior = Interior::Discontinuities;
            rules.iterator = BlockIterator::AcrossEntries32;
        },
    },
    // 15fe76e23615, "Fix truncation for block sizes >= 4G"
    Change {
        mainline: (7, 1),
        stable: &[
            (6, 1, 176),
            (6, 6, 143),
            (6, 12, 94),
            (6, 18, 36),
            (7, 0, 13),
        ],
        apply: |rules| rules.iterator = BlockIterator::AcrossEntries64,
    },
];

/// The rules of the kernel with this `uname -r` and `uname -v`.
fn of(release: &str, version: &str) -> Result<KernelRules, String> {
    let point = point(release, version)?;
    let [major, minor, patch] = [point.0, point.1, point.2];
    if point > NEWEST {
        return Err(format!(
            "Linux {major}.{minor} is newer than {}.{}, the newest that this program knows",
            NEWEST.0, NEWEST.1
        ));
    }
    let is_covered = |&(a, b, first): &Point| (a, b) == (major, minor) && patch >= first;
    if point < OLDEST && !OLD_BRANCHES.iter().any(is_covered) {
        return Err(format!(
            "the rules of Linux {major}.{minor}.{patch} are not modelled (those of 6.1.68, 6.6.7, 6.7 and later are)"
        ));
    }
    let mut rules = KernelRules {
        overflow_checked: true,
        ..*KernelRules::find("6.7").expect("umem-core has it")
    };
    for change in CHANGES.iter().filter(|change| change.is_in(point)) {
        (change.apply)(&mut rules);
    }
    Ok(rules)
}

/// Which release of Linux a kernel is. Debian says so in `uname -v`, everyone else in `uname -r`; there, anything after the numbers
/// stands for unknown patches.
fn point(release: &str, version: &str) -> Result<Point, String> {
    let vendor = || {
        format!(
            "Linux {release} is not a release of kernel.org or Debian, so its version does not say which fixes it has"
        )
    };
    if let Some((_, debian)) = version.split_once(" Debian ") {
        let upstream = debian.split('-').next().unwrap_or_default();
        return numbers(upstream).ok_or_else(vendor);
    }
    numbers(release).ok_or_else(vendor)
}

/// "6.12.95" or "7.3".
fn numbers(text: &str) -> Option<Point> {
    let parts: Option<Vec<u32>> = text.split('.').map(|part| part.parse().ok()).collect();
    match parts?.as_slice() {
        [major, minor] => Some((*major, *minor, 0)),
        [major, minor, point] => Some((*major, *minor, *point)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sysfs::Folder;

    const PLAIN: &str = "#1 SMP PREEMPT_DYNAMIC Mon Jan  5 10:00:00 UTC 2026";

    fn debian(version: &str) -> String {
        format!("#1 SMP PREEMPT_DYNAMIC Debian {version} (2026-11-01)")
    }

    /// Of kernels that have been read or recorded: from the fact sheets, release by release.
    #[test]
    fn a_release_has_the_rules_that_it_took_up() {
        use BlockIterator::{AcrossEntries32, AcrossEntries64, EachEntryCounted32};
        use Interior::{Discontinuities, EveryEnd};
        for (release, interior, iterator) in [
            ("6.1.68", EveryEnd, EachEntryCounted32),
            ("6.1.140", EveryEnd, EachEntryCounted32),
            ("6.1.141", Discontinuities, AcrossEntries32),
            ("6.1.176", Discontinuities, AcrossEntries64),
            ("6.6.92", EveryEnd, EachEntryCounted32),
            ("6.6.93", Discontinuities, AcrossEntries32),
            ("6.7", EveryEnd, EachEntryCounted32),
            ("6.11.11", EveryEnd, EachEntryCounted32),
            ("6.12.30", EveryEnd, EachEntryCounted32),
            ("6.12.31", Discontinuities, AcrossEntries32),
            ("6.12.95", Discontinuities, AcrossEntries64),
            ("6.13.12", EveryEnd, EachEntryCounted32),
            ("6.15.0", Discontinuities, AcrossEntries32),
            ("6.17.13", Discontinuities, AcrossEntries32),
            ("6.18.36", Discontinuities, AcrossEntries64),
            ("7.0.12", Discontinuities, AcrossEntries32),
            ("7.3.4", Discontinuities, AcrossEntries64),
        ] {
            let rules = of(release, PLAIN).unwrap();
            assert_eq!(
                (rules.interior, rules.iterator),
                (interior, iterator),
                "{release}"
            );
        }
    }

    /// umem-core's own generations, as released, but for sums beyond 2^64.
    #[test]
    fn mainline_releases_have_the_rules_of_their_generation() {
        for name in ["6.7", "6.15", "7.2"] {
            let generation = KernelRules {
                overflow_checked: true,
                ..*KernelRules::find(name).unwrap()
            };
            let rules = KernelRules {
                name: generation.name,
                about: generation.about,
                verified: generation.verified,
                ..of(name, PLAIN).unwrap()
            };
            assert_eq!(rules, generation, "{name}");
        }
    }

    #[test]
    fn debian_names_its_release_in_the_version() {
        let rules =
            |release, version: &str| of(release, &debian(version)).map(|rules| rules.interior);
        assert_eq!(
            rules("6.1.0-50-amd64", "6.1.192-1"),
            Ok(Interior::Discontinuities)
        );
        assert_eq!(rules("6.1.0-9-amd64", "6.1.99-1"), Ok(Interior::EveryEnd));
        assert_eq!(
            rules("6.12.95+deb12-amd64", "6.12.95-1~bpo12+1"),
            Ok(Interior::Discontinuities)
        );
        assert!(rules("6.12-amd64", "6.12~rc6-1~exp1").is_err());
    }

    #[test]
    fn what_is_not_known_is_said() {
        for (release, words) in [
            ("6.8.0-84-generic", "6.8.0-84-generic is not a release"),
            ("5.14.0-427.el9.x86_64", "is not a release"),
            ("6.12.4-arch1-1", "is not a release"),
            ("6.18.44-fc-v657", "is not a release"),
            ("7.2.0-rc1", "is not a release"),
            ("6.1.67", "not modelled"),
            ("5.15.185", "not modelled"),
            ("6.6.6", "not modelled"),
            ("7.4.0", "newer than 7.3"),
            ("", "is not a release"),
            ("6", "is not a release"),
            ("6.1.2.3", "is not a release"),
        ] {
            let error = of(release, PLAIN).unwrap_err();
            assert!(error.contains(words), "{release}: {error}");
        }
    }

    #[test]
    fn modules_from_elsewhere_are_seen() {
        let taint = |text: &str| {
            let folder = Folder::new(&[
                ("sys/module/ib_core/taint", "\n"),
                ("sys/module/ib_uverbs/taint", text),
            ]);
            replaced(folder.path())
        };
        assert_eq!(taint("\n"), Ok(()));
        assert!(taint("OE\n").unwrap_err().contains("ib_uverbs"));
        assert_eq!(replaced(Folder::new(&[]).path()), Ok(()));
    }
}
