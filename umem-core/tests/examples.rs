//! The programs of `examples/`, run as people run them, print the known numbers.

use std::path::Path;
use std::process::{Command, Output};

/// Runs an example, once it is up to date. What cargo is told to build it with decides which features it has: alone it is what people get;
/// where `UMEM_PACKAGES` has the words by which this test was built as well, nothing is compiled a second time.
fn run(example: &str, args: &[&str]) -> Output {
    let packages = std::env::var("UMEM_PACKAGES");
    let packages = packages.as_deref().unwrap_or("--package umem-core");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--example", example])
        .args(packages.split_whitespace())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let errors = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "{example}: {errors}");
    // This test lies in deps, beside the examples' folder.
    let here = std::env::current_exe().expect("it has a path");
    let folder = here.parent().and_then(Path::parent).expect("it is deep");
    let mut program = Command::new(folder.join("examples").join(example));
    program.args(args).current_dir(env!("CARGO_MANIFEST_DIR"));
    program.output().expect("the example runs")
}

/// What it prints, all having gone well.
fn printed(example: &str, args: &[&str]) -> String {
    let output = run(example, args);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{example}: {errors}");
    String::from_utf8(output.stdout).expect("text")
}

fn assert_prints(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.contains(line), "{line:?} is not in:\n{text}");
    }
}

#[test]
fn frames_to_tables() {
    // The mail's 257, and its one SG entry.
    assert_prints(
        &printed("frames_to_tables", &[]),
        &[
            "1023 pages, 1 SG entries",
            "mixed sizes: 257 entries: 255 × 4K + 1 × 1M + 1 × 2M",
            "one size: 2 entries: 2 × 2M",
        ],
    );
    assert_prints(
        &printed("frames_to_tables", &["40001", "40002", "7fff0"]),
        &["3 pages, 2 SG entries", "one size: 3 entries: 3 × 4K"],
    );
    let refused = run("frames_to_tables", &["fffffffffffff"]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("not a frame number"));
}

#[test]
fn driver_table() {
    let text = printed("driver_table", &[]);
    assert_prints(
        &text,
        &[
            "page size 2M, 8 blocks",
            "8 addresses written:\n  0x40000000\n  0x40200000\n  0x40400000\n  0x90000000\n",
            "a smaller device: the device has room for 6 addresses; 4 were posted",
        ],
    );
}

#[test]
#[cfg(feature = "serde")]
fn compare_kernels() {
    assert_prints(
        &printed("compare_kernels", &[]),
        &[
            "captured on Linux 6.18.44, for ionic:",
            "Linux 5.10: 1024 entries: 1024 × 4K in 64 SG entries",
            "Linux 7.2: 2 entries: 2 × 2M in 64 SG entries",
        ],
    );
    let capture = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/capture.json");
    assert_prints(
        &printed("compare_kernels", &[capture, "mlx5", "5.2", "7.2"]),
        &[
            "Linux 5.2: 2 entries: 2 × 2M in 2 SG entries",
            "Linux 7.2: 2 entries",
        ],
    );
}

#[test]
fn offset_cost() {
    let text = printed("offset_cost", &[]);
    let rows: Vec<Vec<_>> = text
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    // By hand: 1G are 512 pages of 2M. 4K in, the mail's split of 2M less 4K at both ends; behind an IOMMU 2^18 of 4K, or 2^14 of 64K.
    for row in [
        ["0", "off", "512", "512", "2M"],
        ["4K", "off", "558", "513", "2M"],
        ["4K", "vt-d", "512", "262144", "4K"],
        ["64K", "vt-d", "512", "16384", "64K"],
        ["2M", "vt-d", "512", "512", "2M"],
    ] {
        assert!(
            rows.iter().any(|known| known[..] == row),
            "{row:?}:\n{text}"
        );
    }
}
