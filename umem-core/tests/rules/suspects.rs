//! What would explain an errno that a program saw: put into the scenario, and planned.

use umem_core::{
    advice::suspects,
    gate::{Errno, Gate},
    registration::Registration,
};

use crate::advice::registration;

fn explained(of: &Registration, errno: Errno) -> Vec<(Gate, String)> {
    suspects(of, errno)
        .into_iter()
        .map(|suspect| (suspect.gate, suspect.what.into_owned()))
        .collect()
}

fn plain(process: &str) -> Registration {
    let rest = format!(r#""device":"efa","process":{{{process}}}"#);
    registration(r#""length":"16M""#, r#""layout":"scattered""#, &rest)
}

/// UCX issue 6985: 10M at a multiple of 2M, in pages that were said to have 2M.
#[test]
fn huge_pages_may_be_larger_than_said() {
    let of = registration(
        r#""va":"0x400026200000","length":10485760"#,
        r#""layout":"scattered","page_size":"2M","areas":[{"backing":"hugetlb","length":"10M","page_size":"2M"}]"#,
        r#""device":"mlx5","process":{"fork_support":"libibverbs"}"#,
    );
    assert!(of.table().is_ok());
    let list = explained(&of, Errno::Einval);
    assert!(
        list[0].0 == Gate::ForkSupport && list[0].1.contains("huge pages of 16M or more"),
        "{list:?}"
    );
    // What is said to back it is not doubted but for its size.
    assert!(
        !list
            .iter()
            .any(|(_, what)| what.contains("device's memory"))
    );
}

/// MXL issue 516: a reader's mapping, registered with local write by the library.
#[test]
fn a_bad_address_may_be_a_mapping_for_reading() {
    let list = explained(&plain(""), Errno::Efault);
    let has = |word: &str| {
        list.iter()
            .any(|(gate, what)| *gate == Gate::Pin && what.contains(word))
    };
    for word in [
        "for reading alone",
        "nothing is mapped",
        "a device's memory",
        "end of the file",
    ] {
        assert!(has(word), "{word}: {list:?}");
    }
    // A program that is said to read only cannot be refused for that.
    let list = explained(&plain(r#""access":["remote-read"]"#), Errno::Efault);
    assert!(
        !list
            .iter()
            .any(|(_, what)| what.contains("for reading alone")),
        "{list:?}"
    );
}

#[test]
fn each_errno_has_its_own() {
    for (errno, gate, word) in [
        (Errno::Eperm, Gate::Memlock, "is 0"),
        (Errno::Enomem, Gate::Memlock, "below the region's length"),
        (Errno::Enomem, Gate::Pin, "ZONE_MOVABLE"),
        (Errno::Enomem, Gate::ForkSupport, "nothing is mapped"),
        (Errno::Eagain, Gate::Uverbs, "rdma control group"),
        (Errno::Eagain, Gate::ForkSupport, "vm.max_map_count"),
        (Errno::Einval, Gate::Uverbs, "without local write"),
        (Errno::Eopnotsupp, Gate::Pin, "-o dax"),
        (Errno::Eopnotsupp, Gate::Driver, "remote-atomic"),
    ] {
        let list = explained(&plain(""), errno);
        let has = list
            .iter()
            .any(|(at, what)| *at == gate && what.contains(word));
        assert!(has, "{errno}: {word}: {list:?}");
    }
}

#[test]
fn what_is_said_is_believed() {
    let known =
        r#""memlock":"unlimited","fork_support":"off","access":["local-write"],"hca_objects":9"#;
    let list = explained(&plain(known), Errno::Eagain);
    assert_eq!(list, []);
    let list = explained(&plain(known), Errno::Enomem);
    assert!(
        !list
            .iter()
            .any(|(gate, _)| matches!(gate, Gate::Memlock | Gate::ForkSupport)),
        "{list:?}"
    );
    // A limit that others have used up.
    let list = explained(
        &plain(r#""memlock":"64M","privileged":false"#),
        Errno::Enomem,
    );
    assert!(
        list.iter()
            .any(|(_, what)| what.contains("registered before")),
        "{list:?}"
    );
}

#[test]
fn what_ends_as_it_was_seen_needs_no_explanation() {
    let of = plain(r#""memlock":"1M","privileged":false"#);
    assert_eq!(explained(&of, Errno::Enomem), []);
    assert!(!explained(&of, Errno::Efault).is_empty() || of.table().is_err());
}
