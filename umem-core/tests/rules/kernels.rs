//! Kernels as people name them.

use proptest::prelude::*;
use umem_core::{
    kernel::{CHANGES, Certainty, GENERATIONS, Kernel, KernelRules, NotAKernel, Release},
    registration::Registration,
    scenario::Scenario,
};

fn kernel(name: &str) -> Kernel {
    Kernel::named(name).unwrap_or_else(|error| panic!("{name} {error}"))
}

/// The generation that a kernel answers like, and how much its name says.
#[test]
fn names_tell_the_rules() {
    use Certainty::{Exact, Unknown, Vendor};
    for (name, rules, certainty) in [
        ("5.2", "5.2", Exact),
        (
            "5.10.262",
            "5.10, except that a region that no page size fits is refused and blocks of 4G and more are walked rightly",
            Exact,
        ),
        (
            "5.15.184",
            "6.7, except that page sizes below the kernel's page are ignored and blocks are walked entry by entry with a 32-bit step",
            Unknown,
        ),
        ("6.1.140", "6.7", Exact),
        ("6.1.141", "6.15", Exact),
        ("6.6.92", "6.7", Exact),
        ("6.6.93", "6.15", Exact),
        ("6.12.30", "6.7", Exact),
        ("6.12.31", "6.15", Exact),
        ("6.12.95", "7.2", Exact),
        ("6.12.117", "7.2", Exact),
        ("6.14.8", "6.7", Exact),
        ("6.18.35", "6.15", Exact),
        ("7.1", "7.2", Exact),
        ("7.3.4", "7.2", Exact),
        ("Linux 7.2.12", "7.2", Exact),
        ("7.9", "7.2", Unknown),
        ("7.2-rc1", "7.2", Exact),
        ("6.15-rc3", "6.7", Unknown),
        ("6.8.0-84-generic", "6.7", Vendor),
        ("Ubuntu 6.8.0-84.84-generic 6.8.12", "6.7", Vendor),
        (
            "5.14.0-427.13.1.el9_4.x86_64",
            "5.10, except that page sizes below the kernel's page are ignored and a region that no page size fits is refused",
            Vendor,
        ),
        ("6.12.0-124.28.1.el10_1.x86_64", "6.15", Vendor),
        ("6.12.0-55.9.1.el10_0.x86_64", "6.7", Vendor),
        ("4.18.0-553.el8_10.x86_64", "5.2", Vendor),
        ("6.1.0-37-amd64", "6.7", Exact),
        ("6.1.0-38-amd64", "6.15", Exact),
        ("6.1.0-0.deb11.50-amd64", "7.2", Exact),
        ("6.1.0-55-cloud-arm64", "7.2", Exact),
        (
            "6.1.0-99-amd64",
            "5.10, except that page sizes below the kernel's page are ignored and a region that no page size fits is refused",
            Unknown,
        ),
        ("6.12.117+deb13-amd64", "7.2", Exact),
        ("6.12+deb13-amd64", "6.7", Vendor),
        (
            "#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-1 (2026-11-01)",
            "7.2",
            Exact,
        ),
        ("6.12.4-arch1-1", "6.7", Vendor),
        (
            "5.15.167.4-microsoft-standard-WSL2",
            "6.7, except that page sizes below the kernel's page are ignored and blocks are walked entry by entry with a 32-bit step",
            Vendor,
        ),
        ("6.1.112-124.190.amzn2023.x86_64", "6.7", Vendor),
    ] {
        let kernel = kernel(name);
        assert_eq!(kernel.rules.to_string(), rules, "{name}: {}", kernel.text());
        assert_eq!(kernel.certainty, certainty, "{name}: {}", kernel.text());
        let open = (kernel.certainty, kernel.possible().len() > 1);
        assert!(!matches!(open, (Exact, true)), "{name}: {open:?}");
    }
}

proptest! {
    /// Whatever text it is, it gets an answer.
    #[test]
    fn any_text_gets_an_answer(text in "\\PC{0,40}|[0-9.]{1,12}[-+~a-z0-9._]{0,30}|(Debian|Ubuntu|Linux) [0-9.~-]{0,20}") {
        if let Ok(kernel) = Kernel::named(&text) {
            prop_assert!(!kernel.text().is_empty());
            prop_assert!(kernel.certainty != Certainty::Exact || kernel.open.is_empty());
            prop_assert!(kernel.possible().len() <= kernel.open.len() + 1);
        }
    }
}

#[test]
fn what_names_no_kernel_says_why() {
    let last = Release::new(6, 19, 0);
    for (name, error) in [
        ("", NotAKernel::NoRelease),
        ("ubuntu", NotAKernel::NoRelease),
        ("6", NotAKernel::NoRelease),
        ("6.", NotAKernel::NoRelease),
        ("99999.1", NotAKernel::NoRelease),
        ("6.1\u{0}\u{fffd}", NotAKernel::NoRelease),
        ("4.19.1", NotAKernel::TooOld),
        ("5.1.21", NotAKernel::TooOld),
        ("6.25", NotAKernel::NoSuchRelease { last }),
    ] {
        match Kernel::named(name) {
            Err(found) => assert_eq!(found, error, "{name}"),
            Ok(kernel) => assert_eq!(kernel.certainty, Certainty::Vendor, "{name}"),
        }
    }
}

/// What came to mainline before a release is in it, and each generation is the release that it is called after.
#[test]
fn a_generation_is_its_release() {
    for generation in GENERATIONS {
        let rules = KernelRules::of(generation.name.parse().unwrap());
        assert_eq!(rules.differs(generation), [""; 0], "{}", generation.name);
        assert_eq!(rules.name, generation.name);
        assert_eq!(rules.overflow_checked, generation.overflow_checked);
    }
    assert!(CHANGES.is_sorted_by_key(|change| change.since.mainline()));
}

fn planned(kernel: &str) -> Registration {
    // 16G of 2M pages in one run, behind nothing, for a device with segments of 4G - 4K.
    let json = format!(
        r#"{{"version":1,"region":{{"length":"16G"}},"memory":{{"page_size":"2M","layout":"contiguous"}},"kernel":{kernel},"device":"efa"}}"#
    );
    Registration::new(&Scenario::from_json(json.as_bytes()).unwrap()).unwrap()
}

/// Rules that the device cannot meet are not told apart.
#[test]
fn a_kernel_is_named_after_the_generation_that_answers_alike() {
    for (release, rules) in [
        ("5.10.262", "6.7"),
        ("5.15.184", "6.7"),
        ("5.15.185", "6.15"),
        (
            "6.1.8",
            "5.10, except that a region that no page size fits is refused",
        ),
        ("6.1.141", "6.15"),
        ("7.3.4", "7.2"),
    ] {
        let registration = planned(&format!(r#"{{"release":"{release}"}}"#));
        let kernel = registration.question().kernel();
        assert_eq!(kernel.rules.to_string(), rules, "{release}");
        assert_eq!(kernel.certainty, Certainty::Exact, "{release}");
        let generation = rules.split(',').next().unwrap();
        let named = planned(&format!(r#"{{"rules":"{generation}"}}"#));
        assert_eq!(registration.status(), named.status(), "{release}");
    }
}

#[test]
fn a_release_decides() {
    let status = |release: &str| planned(&format!(r#"{{"release":"{release}"}}"#)).status();
    assert_eq!(status("6.1.140"), "4194304 entries: 4194304 × 4K");
    assert_eq!(status("6.1.141"), "16 entries: 16 × 1G");
    assert_eq!(status("5.15.184"), status("6.1.140"));
    assert_eq!(status("5.15.185"), status("6.1.141"));
    assert_eq!(status("5.10.262"), status("6.1.140"));
}

/// Of a vendor's kernel the answers by all rules that it may have are told.
#[test]
fn a_vendors_kernel_has_several_answers() {
    let ubuntu = planned(r#"{"release":"6.8.0-84-generic"}"#);
    let answers: Vec<_> = ubuntu
        .by_possible_rules()
        .into_iter()
        .map(|(rules, status)| (rules.name, status))
        .collect();
    // That blocks of 4G and more are walked rightly is nothing to a device whose largest page is 2G.
    let small = "4194304 entries: 4194304 × 4K".to_owned();
    let large = "16 entries: 16 × 1G".to_owned();
    assert_eq!(answers, [("6.7", small), ("6.15", large)]);
    assert_eq!(planned(r#"{"release":"6.12.95"}"#).by_possible_rules(), []);
    assert_eq!(planned(r#"{"rules":"6.7"}"#).by_possible_rules(), []);
}

/// More than 4G in one run behind an IOMMU: every kernel refuses it, and old ones leave a part behind.
#[test]
fn a_failed_mapping_is_left_behind_by_old_kernels() {
    let bug = |release: &str| {
        let json = format!(
            r#"{{"version":1,"region":{{"length":"8G"}},"memory":{{"page_size":"1G","layout":"contiguous"}},
                "kernel":{{"release":"{release}"}},"iommu":"vt-d","device":"efa"}}"#
        );
        let registration =
            Registration::new(&Scenario::from_json(json.as_bytes()).unwrap()).unwrap();
        let refusal = registration.table().unwrap_err().clone();
        assert_eq!(refusal.code(), "iommu-map-failed", "{release}");
        refusal.kernel_bug().map(ToString::to_string)
    };
    for release in ["6.1.192", "6.12.116", "7.2.12", "7.3.3"] {
        let bug = bug(release).unwrap();
        assert!(
            bug.starts_with(&format!("Linux {release} leaves the part")),
            "{bug}"
        );
        assert!(
            bug.contains("7.4 (also 6.12.117, 7.3.4) by 1c8f6308e557"),
            "{bug}"
        );
    }
    for release in ["6.12.117", "7.3.4"] {
        assert_eq!(bug(release), None, "{release}");
    }
    for release in ["6.18.60", "6.8.0-84-generic"] {
        assert!(
            bug(release).unwrap().starts_with("not known is whether"),
            "{release}"
        );
    }
}

/// The switch that lets an IOMMU map identically is the machine's, and so are its huge pages.
#[test]
fn advice_names_what_the_machine_has() {
    let advice = |iommu: &str, page: &str, memory: &str| {
        let json = format!(
            r#"{{"version":1,"region":{{"offset":"64K","length":"64M"}},"memory":{memory},"kernel":{{"page_size":"{page}"}},
                "iommu":"{iommu}","device":{{"page_sizes":["{page}","2M","512M","1G"],"policy":"single"}}}}"#
        );
        let registration =
            Registration::new(&Scenario::from_json(json.as_bytes()).unwrap()).unwrap();
        let advice = umem_core::advice::advice(&registration);
        let changes: Vec<_> = advice.into_iter().map(|advice| advice.change).collect();
        changes.join("; ")
    };
    let contiguous = r#"{"page_size":"2M","layout":"contiguous"}"#;
    let x86 = advice("vt-d", "4K", contiguous);
    assert!(x86.contains("identically (iommu=pt)"), "{x86}");
    let arm = advice("smmuv3-64k", "64K", contiguous);
    assert!(arm.contains("identically (iommu.passthrough=1)"), "{arm}");
    let scattered = r#"{"layout":"scattered"}"#;
    let pages_of_4k = advice("off", "4K", scattered);
    assert!(
        pages_of_4k.contains("with 1G pages") || pages_of_4k.contains("with 2M pages"),
        "{pages_of_4k}"
    );
    let pages_of_64k = advice("off", "64K", scattered);
    assert!(pages_of_64k.contains("with 2M pages"), "{pages_of_64k}");
}

#[test]
fn a_wrong_release_names_its_field() {
    let error = |kernel: &str| {
        let json = format!(
            r#"{{"version":1,"region":{{"length":"4K"}},"memory":{{}},"kernel":{kernel},"device":"efa"}}"#
        );
        let scenario = Scenario::from_json(json.as_bytes()).unwrap();
        Registration::new(&scenario).unwrap_err().to_string()
    };
    assert_eq!(
        error(r#"{"release":"4.19.1"}"#),
        "kernel.release: \"4.19.1\" is older than 5.2, which brought ib_umem_find_best_pgsz(): older rules are not modelled"
    );
    assert_eq!(
        error(r#"{"rules":"6.7","release":"6.8"}"#),
        "kernel.rules: stands beside \"release\", which says the rules already: give one of them"
    );
}
