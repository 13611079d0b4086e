//! What can be done on a machine, as its findings have it.

use serde::Serialize;

use super::{Finding, Part};

/// Something that umem does.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Ability {
    /// The command, or the part of it.
    pub name: &'static str,
    /// What it tells.
    pub about: &'static str,
    /// The names of the findings that it needs and that lack; empty if it can be done.
    pub needs: Vec<String>,
}

/// All that umem does, in the order of what it takes.
const ALL: &[(&str, &str, &[Part])] = &[
    (
        "umem plan, view, list, vectors verify",
        "the rules alone",
        &[],
    ),
    ("umem capture", "how memory lies", &[Part::Frames]),
    (
        "umem check, frames",
        "entries held against where memory lies",
        &[Part::Frames],
    ),
    (
        "umem check, data",
        "bytes moved by a device, entry by entry",
        &[Part::Frames, Part::Verbs],
    ),
    (
        "umem watch",
        "every registration as it happens, held against the rules",
        &[Part::Watch],
    ),
    (
        "umem check, kernel; vectors record",
        "what this kernel itself builds",
        &[Part::Frames, Part::Probe],
    ),
];

/// What can be done, and what it takes to do the rest.
pub fn abilities(findings: &[Finding]) -> Vec<Ability> {
    let lacking = |parts: &[Part]| {
        findings
            .iter()
            .filter(|finding| parts.contains(&finding.part) && !finding.is_ok())
            .map(|finding| finding.name.clone())
            .collect()
    };
    ALL.iter()
        .map(|&(name, about, parts)| Ability {
            name,
            about,
            needs: lacking(parts),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::missing::Missing;

    /// A machine with a real NIC and Secure Boot: everything but the probe.
    #[test]
    fn without_the_probe_all_but_the_kernel_level_can_be_done() {
        let findings = [
            Finding::ok("frame numbers", "").part(Part::Frames),
            Finding::ok("verbs", "mlx5_0").part(Part::Verbs),
            Finding::lacking("huge pages of 1G", Missing::frame_permission()),
            Finding::lacking("probe", Missing::probe()).part(Part::Probe),
        ];
        let needs: Vec<Vec<String>> = abilities(&findings)
            .into_iter()
            .map(|ability| ability.needs)
            .collect();
        let none = Vec::<String>::new;
        assert_eq!(
            needs,
            [
                none(),
                none(),
                none(),
                none(),
                none(),
                vec!["probe".to_owned()]
            ]
        );
    }

    #[test]
    fn without_anything_the_rules_are_left() {
        let lacking = |name: &str, part| Finding::lacking(name, Missing::probe()).part(part);
        let findings = [
            lacking("f", Part::Frames),
            lacking("v", Part::Verbs),
            lacking("w", Part::Watch),
            lacking("p", Part::Probe),
        ];
        let counts: Vec<usize> = abilities(&findings)
            .iter()
            .map(|ability| ability.needs.len())
            .collect();
        assert_eq!(counts, [0, 1, 1, 2, 1, 2]);
    }
}
