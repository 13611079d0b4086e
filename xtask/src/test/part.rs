//! The parts of a test run: what each needs, and what it does.

use super::{dist, lab};
use crate::bench;
use crate::book;
use crate::bpf;
use crate::debian;
use crate::lab::{Release, programs};
use crate::page::browser::{self, Page};
use crate::page::tools;
use crate::place;
use crate::step::MachineCannot;
use anyhow::{Result, ensure};
use clap::ValueEnum;
use std::fmt;
use xshell::{Shell, cmd};

/// A part, named as `--only` and `--skip` name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    Fmt,
    Clippy,
    Dependencies,
    Core,
    Bpf,
    Unit,
    Metrics,
    Instructions,
    Wasm,
    Page,
    Firefox,
    Webkit,
    Book,
    #[value(name = "lab-6.1")]
    Lab61,
    #[value(name = "lab-6.12")]
    Lab612,
    #[value(name = "lab-arm64")]
    LabArm64,
    #[value(name = "lab-ppc64le")]
    LabPpc64le,
    LabKill,
    LabWatch,
    LabMatrix,
    Dist,
    LabWatchKernels,
}

impl Part {
    /// All of them, the quick ones first.
    pub const ALL: &[Part] = &[
        Part::Fmt,
        Part::Clippy,
        Part::Dependencies,
        Part::Core,
        Part::Bpf,
        Part::Unit,
        Part::Metrics,
        Part::Instructions,
        Part::Wasm,
        Part::Page,
        Part::Firefox,
        Part::Webkit,
        Part::Book,
        Part::Lab61,
        Part::Lab612,
        Part::LabArm64,
        Part::LabPpc64le,
        Part::LabKill,
        Part::LabWatch,
        Part::LabMatrix,
        Part::Dist,
        Part::LabWatchKernels,
    ];

    /// What it is for.
    pub fn about(self) -> &'static str {
        match self {
            Part::Fmt => "the code is formatted",
            Part::Clippy => "no lint fires, natively and for wasm32",
            Part::Dependencies => "licences, sources and versions of all that is depended on",
            Part::Core => {
                "umem-core without std and features, and as a package; the runner without RDMA, the docs without warnings"
            }
            Part::Bpf => "the BPF programs that are committed are what their source makes",
            Part::Unit => "unit tests, property tests, the examples in the docs",
            Part::Metrics => "Prometheus scrapes what `umem watch` serves, and takes its alerts",
            Part::Instructions => "no path takes more instructions than it did",
            Part::Wasm => "the page's own tests, in headless Chromium",
            Part::Page => {
                "the page from end to end, in headless Chromium, and as `umem view` serves it"
            }
            Part::Firefox => {
                "the page, the element and the book from end to end, in headless Firefox"
            }
            Part::Webkit => "the main paths of the page and the element, in WebKit",
            Part::Book => "the book and the examples, every page of them, in headless Chromium",
            Part::Lab61 => {
                "a VM with Linux 6.1: the check behind both IOMMUs, 20,000 random questions, 20,000 wrong ones"
            }
            Part::Lab612 => "the same with Linux 6.12",
            Part::LabArm64 => {
                "a VM with an arm64 kernel of 16K pages: the check behind SMMUv3, 6000 random questions"
            }
            Part::LabPpc64le => {
                "a VM with a POWER kernel of 64K pages: the check behind its tables, 6000 random questions"
            }
            Part::LabMatrix => {
                "every architecture, page size and IOMMU of the lab: the check and 6000 random questions"
            }
            Part::Dist => {
                "what is published: programs in an empty root, the Debian package installed and removed"
            }
            Part::LabKill => "a check that is killed leaves nothing behind",
            Part::LabWatch => {
                "a VM with Linux 6.12: a check and 1280 registrations at once under `umem watch`, none lost"
            }
            Part::LabWatchKernels => "the same with every buffer, on the other kernels for x86-64",
        }
    }

    /// Whether it takes so long that only `--full`, or its name, asks for it.
    pub fn is_long(self) -> bool {
        matches!(
            self,
            Part::Firefox | Part::Webkit | Part::LabMatrix | Part::LabWatchKernels | Part::Dist
        )
    }

    /// Whether it boots two machines beside each other.
    pub fn boots_two_at_once(self) -> bool {
        matches!(self, Part::Lab61 | Part::Lab612 | Part::LabMatrix)
    }

    /// What it keeps to itself while it runs.
    pub fn room(self) -> Room {
        match self {
            Part::Fmt
            | Part::Clippy
            | Part::Dependencies
            | Part::Core
            | Part::Bpf
            | Part::Unit
            | Part::Metrics
            | Part::Instructions
            | Part::Wasm => Room::Code,
            Part::Page | Part::Firefox | Part::Webkit | Part::Book | Part::Dist => Room::Site,
            Part::Lab61
            | Part::Lab612
            | Part::LabArm64
            | Part::LabPpc64le
            | Part::LabKill
            | Part::LabWatch
            | Part::LabMatrix
            | Part::LabWatchKernels => Room::Lab,
        }
    }

    /// Whether it leaves the page built for release, once it has passed.
    pub fn builds_the_page(self) -> bool {
        matches!(
            self,
            Part::Page | Part::Firefox | Part::Webkit | Part::Book | Part::Dist
        )
    }

    /// Sets up what it needs and does it. The page may be built already, by another part of the same run.
    pub fn run(self, sh: &Shell, page_is_built: bool) -> Result<Done> {
        let built = match page_is_built {
            true => Page::Built,
            false => Page::ToBuild,
        };
        match self {
            Part::Fmt => format(sh),
            Part::Clippy => clippy(sh),
            Part::Dependencies => dependencies(sh),
            Part::Core => core(sh),
            Part::Bpf => bpf::check(sh).map(|()| Done::All),
            Part::Unit => unit(sh),
            Part::Metrics => metrics(sh),
            Part::Instructions => bench::compare(sh).map(|()| Done::All),
            Part::Wasm => wasm(sh),
            Part::Page => page(sh, built),
            Part::Firefox => firefox(sh, built),
            Part::Webkit => webkit(sh, built),
            Part::Book => book(sh, built),
            Part::Lab61 => lab::kernel(sh, Release::Bookworm),
            Part::Lab612 => lab::kernel(sh, Release::BookwormBackports),
            Part::LabArm64 => lab::arm64(sh),
            Part::LabPpc64le => lab::ppc64le(sh),
            Part::LabMatrix => lab::matrix(sh),
            Part::LabKill => lab::killed(sh),
            Part::Dist => dist::dist(sh),
            Part::LabWatch => lab::watch(sh, &[Release::BookwormBackports], false),
            Part::LabWatchKernels => {
                let others = [Release::Bookworm, Release::TrixieBackports, Release::Sid];
                lab::watch(sh, &others, true)
            }
        }
    }
}

/// What only one part at a time may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// What cargo compiles by its own profiles for development: it would wait for itself.
    Code,
    /// The folder `static`.
    Site,
    /// The VMs, which fill the processors by themselves.
    Lab,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            self.to_possible_value()
                .expect("no part is hidden")
                .get_name(),
        )
    }
}

/// How much of a part was done, all of it having passed.
pub enum Done {
    All,
    /// This had to be left out on this machine.
    Without(String),
}

fn format(sh: &Shell) -> Result<Done> {
    cmd!(sh, "cargo fmt --all --check").run()?;
    Ok(Done::All)
}

fn clippy(sh: &Shell) -> Result<Done> {
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
    cmd!(
        sh,
        "cargo clippy --workspace --exclude web --exclude umem-fuzz --all-targets -- -D warnings"
    )
    .run()?;
    cmd!(
        sh,
        "cargo clippy -p umem-core --all-features --all-targets -- -D warnings"
    )
    .run()?;
    with_rdma(sh, || {
        // The fuzz targets bring libFuzzer, which needs a C++ compiler: installed with the rest.
        cmd!(
            sh,
            "cargo clippy -p native-runner -p umem-fuzz --all-targets --all-features -- -D warnings"
        )
        .run()
    })
}

fn dependencies(sh: &Shell) -> Result<Done> {
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

fn core(sh: &Shell) -> Result<Done> {
    for target in [tools::WASM, "x86_64-unknown-none"] {
        tools::require_target(sh, target)?;
        cmd!(
            sh,
            "cargo build -p umem-core --no-default-features --target {target}"
        )
        .run()?;
    }
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
    cmd!(sh, "cargo build -p native-runner").run()?;
    let _deny = sh.push_env("RUSTDOCFLAGS", "-D warnings");
    cmd!(sh, "cargo doc --workspace --exclude web --no-deps").run()?;
    Ok(Done::All)
}

/// The mail's rule alone takes less than so many bytes of WebAssembly.
const SMALLEST: u64 = 1024;

/// Builds the mail's rule alone, for WebAssembly and for no operating system at all.
fn smallest(sh: &Shell) -> Result<()> {
    for target in [tools::WASM, "x86_64-unknown-none"] {
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

/// What is tested natively, in cargo's words. Features are those that all of it wants together, so that whoever tests one program of it
/// with these words compiles nothing anew; `-p` alone would have the rules and what they depend on compiled once more for each package.
const NATIVE: &[&str] = &[
    "--workspace",
    "--exclude",
    "web",
    "--features",
    "umem-core/schema",
];

/// The tests of native-runner that run what the feature `rdma` changes: `check`, `inspect`, `doctor` and `vectors`. The others run lines that
/// are the same with it and without.
const OF_VERBS: &[&str] = &["command", "diagnose", "doctor", "manual", "screen", "watch"];

/// Rooms of native-runner whose tests take minutes, and which have no line that the feature changes.
const WITHOUT_VERBS: &[&str] = &["capture::", "cases::", "commands::book::"];

fn unit(sh: &Shell) -> Result<Done> {
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

fn metrics(sh: &Shell) -> Result<Done> {
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

fn wasm(sh: &Shell) -> Result<Done> {
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

fn page(sh: &Shell, built: Page) -> Result<Done> {
    browser::with_page(sh, built, "testing in a browser", || {
        cmd!(sh, "npm test").run()
    })?;
    // Now that the page is there to be built in.
    let native = NATIVE;
    cmd!(
        sh,
        "cargo test {native...} --test view -- --include-ignored --skip without_the_page"
    )
    .run()?;
    bench::agree(sh)?;
    Ok(Done::All)
}

fn firefox(sh: &Shell, built: Page) -> Result<Done> {
    debian::require_programs(
        sh,
        "testing in another browser",
        &[("firefox-esr", "firefox-esr")],
    )?;
    let _firefox = sh.push_env(
        "FIREFOX",
        debian::program("firefox-esr").unwrap_or_default(),
    );
    let _browser = sh.push_env("UMEM_BROWSER", "firefox");
    book::run(sh)?;
    browser::with_page(sh, built, "testing in a browser", || {
        cmd!(sh, "npm run test:firefox").run()
    })?;
    Ok(Done::All)
}

/// Safari's engine, as Debian has it.
fn webkit(sh: &Shell, built: Page) -> Result<Done> {
    let programs = [("WebKitWebDriver", "webkit2gtk-driver"), ("Xvfb", "xvfb")];
    debian::require_programs(sh, "testing in WebKit", &programs)?;
    browser::with_page(sh, built, "testing in a browser", || {
        cmd!(sh, "npm run test:webkit").run()
    })?;
    Ok(Done::All)
}

fn book(sh: &Shell, built: Page) -> Result<Done> {
    book::check(sh)?;
    browser::with_page(sh, built, "testing in a browser", || {
        cmd!(sh, "npm run test:book").run()
    })?;
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
