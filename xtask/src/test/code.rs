//! What the parts of the room [`Code`](super::part::Room::Code) do: what cargo compiles by its profiles for development.

use super::done::Done;
use crate::debian;
use crate::lab::programs;
use crate::native::NATIVE;
use crate::page::tools;
use crate::place;
use crate::step::MachineCannot;
use anyhow::{Result, ensure};
use xshell::{Shell, cmd};

pub fn format(sh: &Shell) -> Result<Done> {
    cmd!(sh, "cargo fmt --all --check").run()?;
    Ok(Done::All)
}

pub fn clippy(sh: &Shell) -> Result<Done> {
    let wasm = tools::WASM;
    tools::require_target(sh, wasm)?;
    // umem-core's tests are native ones: what they depend on does not build for wasm32.
    cmd!(
        sh,
        "cargo clippy -p web --all-targets --target {wasm} -- -D warnings"
    )
    .run()?;
    for features in [
        &["--features", "split"][..],
        &["--no-default-features", "--features", "element,plan"],
    ] {
        cmd!(
            sh,
            "cargo clippy -p web {features...} --target {wasm} -- -D warnings"
        )
        .run()?;
    }
    cmd!(
        sh,
        "cargo clippy -p umem-core -p umem-bench --target {wasm} -- -D warnings"
    )
    .run()?;
    // The fuzz targets alone: the features that they bring would have the others' procedural macros, and all that uses them, compiled again.
    cmd!(
        sh,
        "cargo clippy -p umem-fuzz --no-default-features --all-targets -- -D warnings"
    )
    .run()?;
    let native = NATIVE;
    cmd!(sh, "cargo clippy {native...} --all-targets -- -D warnings").run()?;
    with_rdma(sh, || {
        cmd!(
            sh,
            "cargo clippy {native...} --features native-runner/rdma --all-targets -- -D warnings"
        )
        .run()
    })
}

pub fn dependencies(sh: &Shell) -> Result<Done> {
    tools::require_cargo_deny(sh)?;
    let _path = sh.push_env("PATH", tools::path()?);
    // By deny.toml. An exception that nothing needs any more is an error, too.
    cmd!(
        sh,
        "cargo deny --locked check --deny warnings licenses sources bans"
    )
    .run()?;
    Ok(Done::All)
}

pub fn core(sh: &Shell) -> Result<Done> {
    smallest(sh)?;
    for features in ["", "serde", "diagram"] {
        cmd!(
            sh,
            "cargo clippy -p umem-core --no-default-features --features={features} --all-targets -- -D warnings"
        )
        .run()?;
    }
    // What others would get builds by itself. Nothing is sent anywhere.
    cmd!(sh, "cargo package -p umem-core --allow-dirty").run()?;
    // What it asks for itself is enough: tests have the runner's features and those of all others together.
    cmd!(sh, "cargo check -p native-runner").run()?;
    let _deny = sh.push_env("RUSTDOCFLAGS", "-D warnings");
    let native = NATIVE;
    cmd!(sh, "cargo doc {native...} --no-deps").run()?;
    Ok(Done::All)
}

/// The mail's rule alone takes less than so many bytes of WebAssembly.
const SMALLEST: u64 = 1024;

/// Builds the mail's rule alone, and umem-core without std and features for it, for WebAssembly and for no operating system at all.
fn smallest(sh: &Shell) -> Result<()> {
    for target in [tools::WASM, "x86_64-unknown-none"] {
        tools::require_target(sh, target)?;
        cmd!(
            sh,
            "cargo build -p umem-smallest --profile element --target {target}"
        )
        .env("CARGO_PROFILE_ELEMENT_STRIP", "true")
        .run()?;
    }
    let wasm = place::target()
        .join(tools::WASM)
        .join("element/umem_smallest.wasm");
    let bytes = std::fs::metadata(wasm)?.len();
    ensure!(
        bytes < SMALLEST,
        "the mail's rule takes {bytes} bytes of WebAssembly, and {SMALLEST} are too many: something of umem-core is linked that the rule \
         does not need"
    );
    eprintln!("  the mail's rule alone: {bytes} bytes of WebAssembly");
    Ok(())
}

/// The tests of native-runner that run what the feature `rdma` changes: `check`, `inspect`, `doctor` and `vectors`. The others run lines that
/// are the same with it and without.
const OF_VERBS: &[&str] = &["command", "diagnose", "doctor", "manual", "screen", "watch"];

/// Rooms of native-runner whose tests take minutes, and which have no line that the feature changes.
const WITHOUT_VERBS: &[&str] = &["capture::", "cases::", "commands::book::"];

pub fn unit(sh: &Shell) -> Result<Done> {
    let native = NATIVE;
    let _packages = sh.push_env("UMEM_PACKAGES", native.join(" "));
    cmd!(sh, "cargo test --no-fail-fast {native...}").run()?;
    with_rdma(sh, || {
        let tests = OF_VERBS.iter().flat_map(|test| ["--test", *test]);
        cmd!(sh, "cargo test {native...}")
            .args(["--features", "native-runner/rdma", "--bin", "umem"])
            .args(tests)
            .arg("--")
            .args(WITHOUT_VERBS.iter().flat_map(|room| ["--skip", *room]))
            .run()
    })
}

pub fn metrics(sh: &Shell) -> Result<Done> {
    let programs = [("prometheus", "prometheus"), ("promtool", "prometheus")];
    debian::require_programs(sh, "scraping the metrics", &programs)?;
    let native = NATIVE;
    cmd!(
        sh,
        "cargo test {native...} --bin umem -- --ignored prometheus"
    )
    .run()?;
    Ok(Done::All)
}

/// The end of a part that needs the feature `rdma`: where that cannot be built, it is left out, and that is said.
fn with_rdma(sh: &Shell, work: impl FnOnce() -> xshell::Result<()>) -> Result<Done> {
    match programs::require_build(sh) {
        Ok(()) => {
            work()?;
            Ok(Done::All)
        }
        Err(error) if error.is::<MachineCannot>() => {
            Ok(Done::Without(format!("the feature rdma: {error:#}")))
        }
        Err(error) => Err(error),
    }
}

pub fn wasm(sh: &Shell) -> Result<Done> {
    let sources = place::workspace().join("web");
    let tests = cmd!(
        sh,
        "grep --recursive --files-with-matches --include=*.rs wasm_bindgen_test {sources}"
    );
    if tests.quiet().ignore_status().read()?.is_empty() {
        return Err(MachineCannot("`web` has no wasm tests yet".into()).into());
    }
    let browser = [
        ("chromium", "chromium"),
        ("chromedriver", "chromium-driver"),
    ];
    debian::require_programs(sh, "testing in a browser", &browser)?;
    tools::require_target(sh, tools::WASM)?;
    tools::require_bindgen(sh)?;
    let _path = sh.push_env("PATH", tools::path()?);
    let _driver = sh.push_env(
        "CHROMEDRIVER",
        debian::program("chromedriver").unwrap_or_default(),
    );
    let _runner = sh.push_env(
        "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER",
        "wasm-bindgen-test-runner",
    );
    let wasm = tools::WASM;
    cmd!(sh, "cargo test -p web --target {wasm}").run()?;
    Ok(Done::All)
}

#[cfg(test)]
mod tests {
    use super::{OF_VERBS, WITHOUT_VERBS};
    use crate::place;
    use std::fs;

    /// `--skip` takes whatever has the word in its name.
    #[test]
    fn rooms_that_are_not_tested_with_verbs_have_none() {
        let sources = place::workspace().join("native-runner/src");
        let (mut folders, mut skipped) = (vec![sources.clone()], 0);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let module = path.strip_prefix(&sources).unwrap().with_extension("");
                let name = module.to_str().unwrap().replace('/', "::") + "::";
                if WITHOUT_VERBS.iter().any(|room| name.contains(room)) {
                    let text = fs::read_to_string(&path).unwrap();
                    assert!(!text.contains("feature = \"rdma\""), "{name}");
                    skipped += 1;
                }
            }
        }
        assert!(skipped > WITHOUT_VERBS.len());
    }

    #[test]
    fn whatever_runs_a_command_of_verbs_is_tested_with_verbs() {
        let folder = place::workspace().join("native-runner/tests");
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|end| end != "rs") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let commands = ["check", "inspect", "doctor", "vectors"];
            if commands
                .iter()
                .any(|name| text.contains(&format!("\"{name}\"")))
            {
                found.push(path.file_stem().unwrap().to_str().unwrap().to_owned());
            }
        }
        found.sort();
        assert_eq!(found, OF_VERBS);
    }
}
