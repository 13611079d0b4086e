//! From the line of a log to what explains it: `umem import`, then `umem plan --saw`.

mod common;

use common::{run, run_with};

const AS_UCX_SAYS: &str = "ib_md.c:325 UCX ERROR ibv_reg_mr(address=0x400026200000, length=10485760, access=0xf) failed: Invalid argument";

/// The scenario of that line, with huge pages and fork support, and what import said.
fn imported() -> (String, String) {
    let options = "import - --device mlx5 --iommu off --release 4.18.0-147.el8 --page-size 2M --backing hugetlb --fork-support libibverbs";
    let words: Vec<&str> = options.split(' ').collect();
    let (code, out, err) = run_with(&words, AS_UCX_SAYS);
    assert_eq!(code, 0, "{err}");
    (out, err)
}

#[test]
fn import_says_how_to_go_on_and_plan_what_would_explain_it() {
    let (scenario, said) = imported();
    assert!(
        said.contains("the program saw EINVAL: `umem plan -`"),
        "{said}"
    );
    // What the program saw is in the scenario.
    let (code, out, err) = run_with(&["plan", "-"], &scenario);
    assert_eq!(code, 0, "{err}");
    assert!(
        out.contains("the program saw EINVAL, and what is described here does not end with it"),
        "{out}"
    );
    assert!(
        out.contains("fork-support: ") && out.contains("huge pages of 16M or more"),
        "{out}"
    );
    assert!(out.contains("KernelPageSize"), "{out}");
    // What only the device knows may be it as well.
    assert!(out.contains("firmware: the device has none left"), "{out}");
    // The flags are in the log, and are none that are refused.
    assert!(!out.contains("without local write"), "{out}");
}

#[test]
fn an_errno_that_nothing_explains_or_that_was_planned_is_said_so() {
    let (scenario, _) = imported();
    let (_, out, _) = run_with(&["plan", "-", "--saw", "ETIMEDOUT"], &scenario);
    assert!(
        out.contains("Nothing that umem can plan explains it"),
        "{out}"
    );
    let (code, out, _) = run(&["plan", "--case", "memlock-8192k", "--saw", "-12"]);
    assert!(
        code == 0 && out.contains("the program saw ENOMEM: as planned"),
        "{out}"
    );
}

#[test]
fn what_saw_does_not_fit_is_wrong_usage() {
    for (words, says) in [
        (vec!["--preset", "mail", "--saw", "ENOENT"], "EINVAL"),
        (
            vec!["--preset", "mail", "--saw", "EINVAL", "--format", "json"],
            "--format json",
        ),
        (
            vec!["--case", "memlock-8192k:2", "--saw", "EINVAL"],
            "belongs to one region",
        ),
    ] {
        let (code, _, err) = run(&[&["plan"], words.as_slice()].concat());
        assert!(code == 2 && err.contains(says), "{words:?}: {code} {err}");
    }
}
