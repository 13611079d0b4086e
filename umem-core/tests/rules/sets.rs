//! Sets of registrations: sums, budgets, where they end, and what would help.

use proptest::prelude::*;
use umem_core::{
    gate::{Errno, Gate},
    registration::Registration,
    scenario::{DeviceObject, DeviceSpec, Memlock, ProcessSpec, Scenario},
    set::{Member, Set, SetPlan, SetReport},
    size::Bytes,
};

use crate::common::{SOUND, scenario};

pub fn set(device: &str, registrations: &str, process: &str) -> Set {
    let json = format!(
        r#"{{"version":1,"device":{device},"registrations":[{registrations}],"process":{{{process}}}}}"#
    );
    Set::from_json(json.as_bytes()).unwrap_or_else(|error| panic!("{error}: {json}"))
}

/// So many regions of 4K pages.
pub fn small(length: &str, count: u64) -> String {
    format!(
        r#"{{"region":{{"length":"{length}"}},"memory":{{"layout":"scattered"}},"count":{count}}}"#
    )
}

/// Where it ends: the number of the region, the gate, the errno.
pub fn ends(plan: &SetPlan) -> Option<(u64, Gate, Option<Errno>)> {
    let refusal = plan.refusal()?;
    Some((refusal.region, refusal.answer.gate, refusal.answer.errno))
}

/// Whether a limit on locked memory counts depends on CAP_IPC_LOCK: a set that does not say whether the process has it is not told that
/// all is well.
#[test]
fn a_set_says_what_depends_on_the_capability() {
    let planned = |process: &str| {
        set(r#""bnxt_re""#, &small("64M", 300), process)
            .plan()
            .unwrap()
    };
    let open = planned(r#""memlock":"200M""#);
    let unless = open.unless_privileged().unwrap();
    let refused = planned(r#""memlock":"200M","privileged":false"#);
    assert_eq!(open.refusal(), None);
    assert_eq!(Some(unless), refused.refusal());
    assert_eq!(unless.region, 4);
    let begins = "300 regions: 4915200 entries if the process has CAP_IPC_LOCK; without it region 4 of 300 is refused at memlock (ENOMEM): ";
    assert!(open.status().starts_with(begins), "{}", open.status());
    assert_eq!(refused.unless_privileged(), None);
    for fine in [
        "",
        r#""memlock":"unlimited""#,
        r#""memlock":"200M","privileged":true"#,
    ] {
        assert_eq!(planned(fine).unless_privileged(), None, "{fine}");
        assert_eq!(planned(fine).status(), "300 regions: 4915200 entries");
    }
}

/// Limits of the process count all regions.
#[test]
fn limits_of_the_process_hold_for_all_regions_together() {
    let process = |more: &str| {
        format!(
            r#""access":["local-write"],"memlock":"64K","pinned":"8K","privileged":false,"fork_support":"off"{more}"#
        )
    };
    let of = |process: &str| {
        set(r#""mlx5""#, &small("8K", 1000), process)
            .plan()
            .unwrap()
    };
    // 14 pages are left: seven regions of two.
    assert_eq!(
        ends(&of(&process(""))),
        Some((8, Gate::Memlock, Some(Errno::Enomem)))
    );
    let text = of(&process("")).refusal().unwrap().answer.text.clone();
    assert!(text.contains("64K are pinned already"), "{text}");
    // What is met first tells, and of two limits at the same region the first gate.
    for (left, stops) in [
        (5, (6, Gate::Uverbs, Errno::Eagain)),
        (7, (8, Gate::Uverbs, Errno::Eagain)),
        (8, (8, Gate::Memlock, Errno::Enomem)),
    ] {
        let (region, gate, errno) = stops;
        let plan = of(&process(&format!(r#","hca_objects":{left}"#)));
        assert_eq!(ends(&plan), Some((region, gate, Some(errno))), "{left}");
        assert_eq!(plan.members()[0].registered, region - 1);
    }
    // The memory control group kills, without an errno.
    let memory = r#""privileged":true,"fork_support":"off","memory_left":"1M""#;
    assert_eq!(ends(&of(memory)), Some((129, Gate::Pin, None)));
    // On demand nothing is pinned.
    let mut on_demand = set(r#""mlx5""#, &small("8K", 1000), &process(""));
    on_demand.process.access = Some(vec![umem_core::device::Access::OnDemand]);
    assert_eq!(ends(&on_demand.plan().unwrap()), None);
}

/// What is refused alone registers in slices, as few as it takes.
#[test]
fn a_region_that_is_refused_registers_in_slices() {
    let plan = set(r#""ionic""#, &small("3G", 1), "").plan().unwrap();
    let advice = plan.advice();
    let slices = advice
        .iter()
        .find(|advice| {
            advice
                .change
                .starts_with("register each region of 3G as 2 ")
        })
        .unwrap_or_else(|| panic!("{advice:?}"));
    assert_eq!(
        (
            slices.before.refused_at,
            slices.after.refused_at,
            slices.after.regions
        ),
        (Some(1), None, 2)
    );
    // A length that no slices of one length divide.
    let long = r#"{"region":{"length":"65G"},"memory":{"page_size":"1G","layout":"contiguous"}}"#;
    let plan = set(r#""erdma""#, long, "").plan().unwrap();
    assert!(plan.advice().iter().any(|advice| advice.after.regions == 2));
    // A budget of the device is not widened by slices.
    let plan = set(r#""ionic""#, &small("1G", 5), "").plan().unwrap();
    assert!(
        plan.advice()
            .iter()
            .all(|advice| !advice.change.contains("register each region"))
    );
}

/// 1265 tensors of 51G: one region instead.
#[test]
fn one_region_stands_for_many() {
    let plan = set(r#""mlx5""#, &small("40M", 1265), "").plan().unwrap();
    let advice = plan.advice();
    let one = advice
        .iter()
        .find(|advice| advice.change.ends_with("instead of 1265"))
        .unwrap_or_else(|| panic!("{advice:?}"));
    assert_eq!(
        (one.after.regions, one.after.entries),
        (1, plan.total().entries)
    );
}

#[test]
fn a_set_and_a_scenario_say_which_they_are() {
    let scenario = br#"{"version":1,"region":{"length":"4K"},"memory":{"layout":"contiguous"},"device":"mlx5"}"#;
    let error = Set::from_json(scenario).unwrap_err();
    assert_eq!(error.code(), "is-a-scenario");
    assert!(
        error
            .to_string()
            .contains("this is a scenario of one region"),
        "{error}"
    );
    let set = set(r#""mlx5""#, &small("4K", 2), "");
    let error = Scenario::from_json(set.to_json().as_bytes()).unwrap_err();
    assert_eq!(error.code(), "is-a-set");
    assert_eq!(Set::from_json(set.to_json().as_bytes()).unwrap(), set);
}

#[test]
fn what_is_wrong_with_a_set_is_named() {
    let error = |text: String| {
        let set = Set::from_json(text.as_bytes()).and_then(|set| set.plan().map(drop));
        set.unwrap_err().to_string()
    };
    let with = |registrations: &str| {
        error(format!(
            r#"{{"version":1,"device":"mlx5","registrations":[{registrations}]}}"#
        ))
    };
    assert_eq!(
        with(""),
        "registrations: is empty: give at least one registration"
    );
    assert!(with(&small("4K", 0)).starts_with("registrations[0].count: is 0"));
    let huge = with(
        &(small("4K", 1)
            + ","
            + r#"{"region":{"length":"1T"},"memory":{"page_size":"1G","layout":"contiguous"},"count":4503599627370496}"#),
    );
    assert!(huge.starts_with("registrations[1].count: "), "{huge}");
    let region = with(&(small("4K", 1) + "," + &small("0", 1)));
    assert!(
        region.starts_with("registrations[1].region.length: is 0"),
        "{region}"
    );
    let device = error(format!(
        r#"{{"version":1,"device":"mlx6","registrations":[{}]}}"#,
        small("4K", 1)
    ));
    assert!(
        device.starts_with("device: \"mlx6\" is not known"),
        "{device}"
    );
    let field = with(r#"{"region":{"length":"4K"},"memory":{"layout":"contiguous"},"number":3}"#);
    assert!(field.contains("registrations[0].number"), "{field}");
    let version = error(format!(
        r#"{{"version":2,"device":"mlx5","registrations":[{}]}}"#,
        small("4K", 1)
    ));
    assert!(version.starts_with("version: "), "{version}");
}

/// The sums, one region after the other.
fn slowly(set: &Set) -> (u64, u64, u64, u64, Option<u64>) {
    let (mut regions, mut pages, mut entries, mut bytes, mut refused) = (0, 0, 0, 0, None);
    let (mut pinned, mut kept) = (0, 0);
    for member in &set.registrations {
        for _ in 0..member.count {
            regions += 1;
            let mut scenario = Set {
                registrations: vec![],
                ..set.clone()
            }
            .with(member);
            let alone = Registration::new(&scenario).unwrap();
            pages += alone.pages();
            let total = alone.table().map_or(0, |table| table.total);
            entries += total;
            bytes += alone.table().map_or(0, |table| table.bytes);
            let Bytes(before) = set.process.pinned.unwrap();
            scenario.process.pinned = Some(Bytes(before + pinned));
            let now = Registration::new(&scenario).unwrap();
            let full = match &set.device {
                DeviceSpec::Custom(device) => kept + total > device.max_total_entries.unwrap(),
                DeviceSpec::Name(_) => false,
            };
            if refused.is_some() {
                continue;
            }
            if full || now.gates().last().unwrap().refuses() {
                refused = Some(regions);
                continue;
            }
            pinned += alone.pages() * alone.question().mr().page.bytes();
            kept += total;
        }
    }
    (regions, pages, entries, bytes, refused)
}

/// A region of a set as a scenario.
trait With {
    fn with(self, member: &Member) -> Scenario;
}

impl With for Set {
    fn with(self, member: &Member) -> Scenario {
        Scenario {
            version: 1,
            name: None,
            region: member.region.clone(),
            memory: member.memory.clone(),
            kernel: self.kernel,
            iommu: self.iommu,
            device: self.device,
            process: self.process,
            provenance: None,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    /// A set of one answers as its scenario does.
    #[test]
    fn a_set_of_one_is_its_scenario(scenario in scenario(SOUND)) {
        let alone = Registration::new(&scenario).unwrap();
        let plan = Set::of(&scenario).plan().unwrap();
        let table = alone.table();
        prop_assert_eq!(plan.total().entries, table.map_or(0, |table| table.total));
        prop_assert_eq!(plan.total().bytes, table.map_or(0, |table| table.bytes));
        prop_assert_eq!(plan.total().pages, alone.pages());
        let gates = alone.gates();
        let refused = gates.last().filter(|gate| gate.refuses());
        prop_assert_eq!(plan.refusal().map(|refusal| &refusal.answer), refused);
        let report = serde_json::to_value(SetReport::new(&plan)).unwrap();
        let single = serde_json::to_value(umem_core::report::Report::new(&alone)).unwrap();
        for key in ["table", "gates", "status", "pages"] {
            prop_assert_eq!(&report["registrations"][0][key], &single[key], "{}", key);
        }
    }

    /// Gates come in order, and nothing after a refusal.
    #[test]
    fn gates_come_in_order(scenario in scenario(SOUND), memlock in 0u64..1 << 20) {
        let mut scenario = scenario;
        scenario.process = ProcessSpec {
            memlock: Some(Memlock::Bytes(Bytes(memlock))),
            privileged: Some(false),
            pinned: Some(Bytes(0)),
            ..ProcessSpec::default()
        };
        let registration = Registration::new(&scenario).unwrap();
        let gates = registration.gates();
        let names: Vec<Gate> = gates.iter().map(|gate| gate.gate).collect();
        prop_assert_eq!(&names[..], &Gate::ALL[..names.len()]);
        let refusals = gates.iter().filter(|gate| gate.refuses()).count();
        let whole = names.len() == Gate::ALL.len();
        prop_assert!(refusals == usize::from(registration.table().is_err()));
        prop_assert!(whole || gates.last().unwrap().refuses());
        if let Err(refusal) = registration.table() {
            let last = gates.last().unwrap();
            prop_assert_eq!(refusal.gate(), Some(last.gate));
            prop_assert_eq!(refusal.errno(), last.errno);
        }
    }

    /// Sums and the place of the refusal, multiplied, are those of one region after the other.
    #[test]
    fn totals_are_sums(
        scenarios in prop::collection::vec((scenario(SOUND), 1u64..6), 1..5),
        memlock in 0u64..4 << 20,
        most in 1u64..400,
    ) {
        let (first, _) = scenarios[0].clone();
        let page = first.kernel.page_size;
        let registrations = scenarios
            .into_iter()
            // One kernel has one page.
            .filter(|(scenario, _)| scenario.kernel.page_size == page)
            .map(|(scenario, count)| Member {
                name: None,
                region: scenario.region,
                memory: scenario.memory,
                count,
                provenance: None,
            })
            .collect();
        let set = Set {
            device: DeviceSpec::Custom(DeviceObject {
                page_sizes: Some(vec![page]),
                max_total_entries: Some(most),
                ..DeviceObject::default()
            }),
            process: ProcessSpec {
                memlock: Some(Memlock::Bytes(Bytes(memlock))),
                privileged: Some(false),
                pinned: Some(Bytes(page.0)),
                ..ProcessSpec::default()
            },
            registrations,
            ..Set::of(&first)
        };
        let plan = set.plan().unwrap();
        let total = plan.total();
        let refused = plan.refusal().map(|refusal| refusal.region);
        prop_assert_eq!(
            (total.regions, total.pages, total.entries, total.bytes, refused),
            slowly(&set)
        );
    }
}
