//! The gates, held against what kernels and libibverbs answered: each row of the measurements of 2026-11-28, on Debian's kernels
//! 6.1.192, 6.12.95 and 7.3.4, is a row here.

use umem_core::{
    gate::{GateAnswer, Verdict},
    registration::Registration,
    scenario::Scenario,
};

mod mappings;
mod reports;

const KERNELS: [&str; 3] = ["6.1.192", "6.12.95", "7.3.4"];

/// What differs from one page of ordinary memory on rxe that an unprivileged process, with nothing pinned so far, registers for local
/// writes under a limit of 64K.
#[derive(Clone, Copy, Default)]
struct Asked<'a> {
    region: &'a str,
    areas: &'a str,
    process: &'a str,
    device: &'a str,
}

const ORDINARY: Asked<'_> = Asked {
    region: r#""length":"4K""#,
    areas: "",
    process: "",
    device: r#""rxe""#,
};
const LW: &str = r#""access":["local-write"]"#;
const RO: &str = r#""access":["remote-read"]"#;
const PCI: &str = r#"{"page_sizes":["4K"],"policy":"single"}"#;

fn region(region: &str) -> Asked<'_> {
    Asked { region, ..ORDINARY }
}

fn process(process: &str) -> Asked<'_> {
    Asked {
        process,
        ..ORDINARY
    }
}

/// One area, which the process registers with these flags.
fn area<'a>(areas: &'a str, process: &'a str) -> Asked<'a> {
    Asked {
        areas,
        process,
        ..ORDINARY
    }
}

impl Asked<'_> {
    fn scenario(self, kernel: &str) -> Scenario {
        let Self {
            region,
            areas,
            process,
            device,
        } = self;
        let mut fields = vec![process.to_owned()];
        for (name, value) in [
            ("access", r#"["local-write"]"#),
            ("memlock", r#""64K""#),
            ("pinned", "0"),
            ("privileged", "false"),
            ("fork_support", r#""off""#),
        ] {
            if !process.contains(&format!("\"{name}\"")) {
                fields.push(format!("\"{name}\":{value}"));
            }
        }
        fields.retain(|field| !field.is_empty());
        let json = format!(
            r#"{{"version":1,"region":{{{region}}},"memory":{{"layout":"scattered","areas":[{areas}]}},"device":{device},
               "kernel":{{"release":"{kernel}"}},"process":{{{}}}}}"#,
            fields.join(",")
        );
        Scenario::from_json(json.as_bytes()).unwrap_or_else(|error| panic!("{error}: {json}"))
    }

    /// "ok", the errno, or "killed".
    fn answer(self, kernel: &str) -> String {
        let scenario = self.scenario(kernel);
        match Registration::new(&scenario) {
            Ok(registration) => said(&registration.gates()),
            // A region that no scenario may have: what the kernel makes of it, and where.
            Err(error) => {
                let gates = scenario.gates_before_gathering().unwrap();
                let last = gates.last().unwrap();
                match (error.stops_at(), last.errno) {
                    (Some((gate, _)), Some(_)) => assert!(last.gate <= gate, "{error}: {last}"),
                    (stops, errno) => assert_eq!((stops, errno), (None, None), "{error}"),
                }
                said(&gates)
            }
        }
    }
}

fn said(gates: &[GateAnswer]) -> String {
    if let Some(unknown) = gates.iter().find(|gate| gate.verdict == Verdict::Unknown) {
        return format!("unknown at {}", unknown.gate.name());
    }
    match gates.last().unwrap() {
        gate if !gate.refuses() => "ok".into(),
        gate => gate
            .errno
            .map_or("killed".into(), |errno| errno.to_string()),
    }
}

#[track_caller]
fn assert_rows(rows: &[(&str, Asked<'_>, [&str; 3])]) {
    let mut wrong = String::new();
    for (name, asked, expected) in rows {
        for (kernel, expected) in KERNELS.iter().zip(expected) {
            let answer = asked.answer(kernel);
            if answer != *expected && *expected != "-" {
                wrong +=
                    &format!("{name}, Linux {kernel}: {answer}, but the kernel said {expected}\n");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

const OK: [&str; 3] = ["ok"; 3];
const EINVAL: [&str; 3] = ["EINVAL"; 3];
const EFAULT: [&str; 3] = ["EFAULT"; 3];
const ENOMEM: [&str; 3] = ["ENOMEM"; 3];
const EPERM: [&str; 3] = ["EPERM"; 3];
const EAGAIN: [&str; 3] = ["EAGAIN"; 3];

#[test]
fn ranges_are_answered_as_kernels_did() {
    let top = |length| format!(r#""va":"0xfffffffffffff000","length":"{length}""#);
    let hole = r#"{"backing":"hole"}"#;
    assert_rows(&[
        ("one page", ORDINARY, OK),
        ("the range wraps", region(&top("8K")), EINVAL),
        ("it ends at 2^64", region(&top("4K")), EINVAL),
        (
            "length ~0",
            region(r#""length":"0xffffffffffffffff""#),
            EINVAL,
        ),
        ("length 0", region(r#""length":0"#), EINVAL),
        (
            "length 0, no access",
            Asked {
                process: r#""access":[]"#,
                ..region(r#""length":0"#)
            },
            EINVAL,
        ),
        (
            "a kernel address",
            Asked {
                areas: hole,
                ..region(r#""va":"0xffff888000000000","length":"4K""#)
            },
            EFAULT,
        ),
        (
            "NULL",
            Asked {
                areas: hole,
                ..region(r#""va":0,"length":"4K""#)
            },
            EFAULT,
        ),
        (
            "iova and address differ in the page",
            region(r#""length":"4K","hca_address":"0x1004""#),
            EINVAL,
        ),
        (
            "iova + length wraps",
            region(r#""length":"8K","hca_address":"0xfffffffffffff000""#),
            OK,
        ),
    ]);
}

#[test]
fn access_flags_are_answered_as_kernels_did() {
    let persist = r#""access":["flush-persistent"]"#;
    let hole = r#"{"backing":"hole"}"#;
    let on_demand = r#""access":["local-write","on-demand"],"memlock":0"#;
    let all = r#""va":0,"length":"0xffffffffffffffff""#;
    let since_7 = ["EINVAL", "EOPNOTSUPP", "ok"];
    let since_6_12 = ["ok", "EOPNOTSUPP", "EOPNOTSUPP"];
    assert_rows(&[
        (
            "remote write alone",
            process(r#""access":["remote-write"]"#),
            EINVAL,
        ),
        (
            "remote atomic alone",
            process(r#""access":["remote-atomic","remote-read"]"#),
            EINVAL,
        ),
        ("no access", process(r#""access":[]"#), OK),
        (
            "relaxed ordering",
            process(r#""access":["local-write","relaxed-ordering"]"#),
            OK,
        ),
        ("flush persistent", process(persist), EINVAL),
        (
            "flush global",
            process(r#""access":["local-write","flush-global"]"#),
            ["EINVAL", "ok", "ok"],
        ),
        (
            "zero-based",
            process(r#""access":["local-write","zero-based"]"#),
            since_6_12,
        ),
        (
            "hugetlb",
            process(r#""access":["local-write","hugetlb"]"#),
            since_6_12,
        ),
        ("on demand, limit 0", process(on_demand), since_7),
        ("on demand, a hole", area(hole, on_demand), since_7),
        (
            "on demand, everything",
            Asked {
                process: on_demand,
                ..region(all)
            },
            ["EINVAL", "EOPNOTSUPP", "EOPNOTSUPP"],
        ),
        (
            "a PCI device without a driver of its own ignores flags",
            Asked {
                device: PCI,
                ..process(r#""access":["local-write","zero-based"]"#)
            },
            OK,
        ),
    ]);
}

#[test]
fn limits_are_answered_as_kernels_did() {
    let held = r#""pinned":"40K""#;
    assert_rows(&[
        ("limit 0", process(r#""memlock":0"#), EPERM),
        ("limit 4095, one page", process(r#""memlock":4095"#), ENOMEM),
        ("limit 64K, 16 pages", region(r#""length":"64K""#), OK),
        ("limit 64K, 17 pages", region(r#""length":"68K""#), ENOMEM),
        (
            "limit 64K, 64K from +0x800 on",
            region(r#""offset":"0x800","length":"64K""#),
            ENOMEM,
        ),
        (
            "10 pages are held, and 10 more",
            Asked {
                process: held,
                ..region(r#""length":"40K""#)
            },
            ENOMEM,
        ),
        (
            "10 pages are held, and 6 more",
            Asked {
                process: held,
                ..region(r#""length":"24K""#)
            },
            OK,
        ),
        (
            "CAP_IPC_LOCK, limit 0",
            process(r#""privileged":true,"memlock":0"#),
            OK,
        ),
        (
            "unlimited",
            Asked {
                process: r#""memlock":"unlimited""#,
                ..region(r#""length":"1G""#)
            },
            OK,
        ),
        (
            "the rdma control group is full",
            process(r#""hca_objects":0"#),
            EAGAIN,
        ),
        ("one object is left", process(r#""hca_objects":1"#), OK),
        (
            "a memory control group of 64M",
            Asked {
                process: r#""memlock":"unlimited","memory_left":"64M""#,
                ..region(r#""length":"128M""#)
            },
            ["killed"; 3],
        ),
    ]);
}

/// Two faults at once: the order of the checks.
#[test]
fn of_two_faults_the_kernel_tells_the_first() {
    let hole = r#"{"backing":"hole"}"#;
    let full = r#""hca_objects":0"#;
    let zero = r#""memlock":0"#;
    let ask = |region, areas, process| Asked {
        region,
        areas,
        process,
        ..ORDINARY
    };
    let page = ORDINARY.region;
    assert_rows(&[
        ("limit 0, empty", ask(r#""length":0"#, "", zero), EPERM),
        ("limit 0, a hole", area(hole, zero), EPERM),
        (
            "limit 0, it wraps",
            ask(r#""va":"0xfffffffffffff000","length":"8K""#, "", zero),
            EINVAL,
        ),
        (
            "over the limit, a hole",
            ask(r#""length":"68K""#, hole, ""),
            ENOMEM,
        ),
        (
            "the group is full, wrong flags",
            process(r#""hca_objects":0,"access":["remote-write"]"#),
            EAGAIN,
        ),
        (
            "the group is full, on demand",
            process(r#""hca_objects":0,"access":["on-demand"]"#),
            EAGAIN,
        ),
        ("the group is full, a hole", ask(page, hole, full), EAGAIN),
        (
            "the group is full, the iova is wrong",
            ask(r#""length":"4K","hca_address":"0x1004""#, "", full),
            EINVAL,
        ),
        (
            "zero-based under a limit of 0",
            process(r#""memlock":0,"access":["zero-based"]"#),
            ["EPERM", "EOPNOTSUPP", "EOPNOTSUPP"],
        ),
    ]);
}

/// Some drivers return one errno for whatever `ib_umem_get()` returns.
#[test]
fn drivers_hide_what_the_kernel_said() {
    let hole = r#"{"backing":"hole"}"#;
    let of = |device, areas, process| Asked {
        device,
        ..area(areas, process)
    };
    let zero = r#""memlock":0,"fork_support":"off""#;
    for (device, limit_zero, a_hole) in [
        (r#""hns""#, ENOMEM, ENOMEM),
        (r#""cxgb4""#, ENOMEM, ENOMEM),
        (r#""ocrdma""#, EFAULT, EFAULT),
        (r#""bnxt_re""#, ["EFAULT", "EPERM", "EPERM"], EFAULT),
    ] {
        assert_rows(&[
            (device, of(device, "", zero), limit_zero),
            (device, of(device, hole, LW), a_hole),
        ]);
    }
    let scenario = of(r#""hns""#, "", zero).scenario("7.3.4");
    let gates = Registration::new(&scenario).unwrap().gates();
    let text = &gates.last().unwrap().text;
    assert!(
        text.ends_with(
            "the kernel says EPERM, but hns returns ENOMEM for whatever ib_umem_get() returns"
        ),
        "{text}"
    );
}
