//! What the mappings behind a region decide: pinning, and libibverbs' fork support.

use super::*;

#[test]
fn mappings_are_answered_as_kernels_did() {
    let none = r#""access":[]"#;
    let bind = r#""access":["mw-bind"]"#;
    let read = r#"{"protection":"read"}"#;
    let private = r#"{"backing":"file","protection":"read"}"#;
    let later = r#"{"offset":"4M","length":"4K","backing":"hole"}"#;
    let fsdax = r#"{"backing":"fsdax","shared":true}"#;
    let mut rows = vec![
        (
            "a hole in a later batch",
            Asked {
                region: r#""length":"8M""#,
                areas: later,
                process: r#""memlock":"unlimited""#,
                device: PCI,
            },
            EFAULT,
        ),
        (
            "PROT_NONE",
            area(r#"{"protection":"none"}"#, none),
            ["ok", "EFAULT", "EFAULT"],
        ),
        ("PROT_READ, LW", area(read, LW), EFAULT),
        ("PROT_READ, MW_BIND", area(read, bind), EFAULT),
        ("PROT_READ, RO", area(read, RO), OK),
        ("PROT_READ, a private file, LW", area(private, LW), EFAULT),
        ("PROT_READ, a private file, RO", area(private, RO), OK),
        ("PROT_WRITE", area(r#"{"protection":"write"}"#, LW), OK),
        ("fsdax, LW", area(fsdax, LW), ["EOPNOTSUPP"; 3]),
        ("fsdax, RO", area(fsdax, RO), ["EOPNOTSUPP"; 3]),
        (
            "fsdax, private",
            area(r#"{"backing":"fsdax","shared":false}"#, RO),
            ["EOPNOTSUPP"; 3],
        ),
        (
            "[vvar]",
            area(r#"{"backing":"vvar","protection":"read"}"#, RO),
            ["EFAULT", "EFAULT", "ok"],
        ),
        (
            "a guard page",
            area(r#"{"backing":"guard"}"#, LW),
            ["-", "-", "EFAULT"],
        ),
        (
            "held in ZONE_MOVABLE",
            area(r#"{"backing":"unmovable"}"#, LW),
            ENOMEM,
        ),
        (
            "ext4, shared, LW",
            area(r#"{"backing":"file","shared":true}"#, LW),
            ["ok", "EFAULT", "EFAULT"],
        ),
        (
            "ext4, shared, RO",
            area(r#"{"backing":"file","shared":true}"#, RO),
            OK,
        ),
        ("ext4, private, LW", area(r#"{"backing":"file"}"#, LW), OK),
        (
            "[vdso]",
            area(r#"{"backing":"vdso","protection":"read"}"#, RO),
            OK,
        ),
    ];
    for backing in ["shmem", "file"] {
        let shared = format!(r#"{{"backing":"{backing}","shared":true,"protection":"read"}}"#);
        let areas = &*Box::leak(shared.into_boxed_str());
        rows.push((
            "PROT_READ, shared, RO",
            area(areas, RO),
            ["EFAULT", "ok", "ok"],
        ));
        rows.push(("PROT_READ, shared, LW", area(areas, LW), EFAULT));
    }
    for (backing, said) in [
        ("hole", EFAULT),
        ("beyond-end", EFAULT),
        ("no-huge-page", EFAULT),
        ("pfnmap", EFAULT),
        ("secret", EFAULT),
        ("anonymous", OK),
        ("shmem", OK),
        ("devdax", OK),
        ("hugetlb", OK),
    ] {
        let areas = format!(r#"{{"backing":"{backing}","page_size":"2M"}}"#);
        let areas = &*Box::leak(areas.into_boxed_str());
        rows.push((backing, area(areas, LW), said));
        rows.push((
            backing,
            Asked {
                device: PCI,
                ..area(areas, LW)
            },
            said,
        ));
    }
    assert_rows(&rows);
}

/// What libibverbs itself refuses, by version.
#[test]
fn fork_support_is_answered_as_libibverbs_did() {
    let huge = r#"{"backing":"hugetlb","page_size":"2M"}"#;
    let devdax = r#"{"backing":"devdax","page_size":"2M"}"#;
    let (hole, bar) = (r#"{"backing":"hole"}"#, r#"{"backing":"pfnmap"}"#);
    let cut = r#""offset":"4K","length":"8K""#;
    let whole = r#""offset":"2M","length":"2M""#;
    let old = r#""fork_support":"kernel","libibverbs":"44.0","memlock":"unlimited""#;
    let new = r#""fork_support":"kernel","libibverbs":"56.1","memlock":"unlimited""#;
    let marks = r#""fork_support":"libibverbs","libibverbs":"56.1""#;
    let safe = r#""fork_support":"libibverbs","hugepages_safe":true"#;
    let full = r#""fork_support":"libibverbs","mappings_left":0"#;
    let one = r#""fork_support":"libibverbs","mappings_left":1"#;
    let anonymous = r#"{"length":"1M"}"#;
    let ask = |region, areas, process| Asked {
        region,
        areas,
        process,
        ..ORDINARY
    };
    assert_rows(&[
        ("44.0, a huge page is cut", ask(cut, huge, old), EINVAL),
        ("44.0, device DAX is cut", ask(cut, devdax, old), EINVAL),
        ("44.0, whole huge pages", ask(whole, huge, old), OK),
        ("56.1, a huge page is cut", ask(cut, huge, new), OK),
        ("56.1 without copy-on-fork", ask(cut, huge, marks), EINVAL),
        ("RDMAV_HUGEPAGES_SAFE", ask(cut, huge, safe), OK),
        ("off, a huge page is cut", area(huge, LW), OK),
        ("44.0, a hole", area(hole, old), ENOMEM),
        ("56.1, a hole", area(hole, new), EFAULT),
        ("44.0, /dev/mem", area(bar, old), EINVAL),
        ("56.1, /dev/mem", area(bar, new), EFAULT),
        ("no mapping is left", ask(cut, anonymous, full), EAGAIN),
        (
            "one, where two are needed",
            ask(cut, anonymous, one),
            EAGAIN,
        ),
        ("one, at the start of a mapping", area(anonymous, one), OK),
        ("44.0, length 0", ask(r#""length":0"#, "", old), EINVAL),
        (
            "44.0, wrong flags",
            process(r#""fork_support":"libibverbs","access":["remote-write"]"#),
            EINVAL,
        ),
    ]);
}
