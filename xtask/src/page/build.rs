//! `cargo xtask build`: the code of the page and of the element, compiled into `static`, and what goes with it. wasm-pack packs it, but for
//! the page's, which is taken apart. What makes files of the code is a program of its own, `xtask/packer`.

use super::{bundle, tools};
use crate::native::NATIVE;
use crate::place;
use crate::step::step;
use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use xshell::{Cmd, Shell, cmd};

/// How much the compiler tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Profile {
    /// Built in seconds when something changed
    Quick,
    /// As small and fast as it gets
    Release,
}

/// One of the three things that the crate `web` becomes.
#[derive(Clone, Copy)]
struct Package {
    /// What it is, in the words of a progress line.
    title: &'static str,
    /// Its folder below `static`.
    folder: &'static str,
    /// What its files' names begin with.
    name: &'static str,
    /// What is compiled in.
    features: &'static [&'static str],
    /// Whether a release of it is taken apart.
    comes_apart: bool,
}

/// What is looked at first.
const PAGE: Package = Package {
    title: "the page",
    folder: "pkg",
    name: "web",
    features: &[],
    comes_apart: true,
};

/// What others embed, and what the page loads when it is asked for more.
const REST: [Package; 2] = [
    Package {
        title: "the element",
        folder: "element",
        name: "umem_split",
        features: &["--no-default-features", "--features", "element"],
        comes_apart: false,
    },
    // Apart from the element: what few ask for, no reader waits for.
    Package {
        title: "the rules for JavaScript",
        folder: "plan",
        name: "umem_plan",
        features: &["--no-default-features", "--features", "plan"],
        comes_apart: false,
    },
];

/// All three, in the order in which they are built.
fn packages() -> impl Iterator<Item = Package> {
    [PAGE].into_iter().chain(REST)
}

impl Package {
    /// Where it lands.
    fn folder(self) -> PathBuf {
        place::workspace().join("static").join(self.folder)
    }

    /// The name of cargo's profile.
    fn cargo_profile(profile: Profile) -> &'static str {
        match profile {
            Profile::Quick => "served",
            // What is loaded counts for more than what it takes to run.
            Profile::Release => "element",
        }
    }

    /// What is compiled in, as options of cargo.
    fn features(self, profile: Profile) -> Vec<&'static str> {
        let mut features = self.features.to_vec();
        if self.is_taken_apart(profile) {
            features.extend(["--features", "split"]);
        }
        features
    }

    /// Whether it is taken apart. It works in one piece as well, and is made sooner.
    fn is_taken_apart(self, profile: Profile) -> bool {
        self.comes_apart && profile == Profile::Release
    }

    /// Its code alone, as wasm-pack has it compiled.
    fn compile(self, profile: Profile) -> Result<()> {
        // A shell of its own: this runs beside the installation of the tools.
        let sh = shell()?;
        let (wasm, name) = (tools::WASM, Self::cargo_profile(profile));
        let (features, paths) = (self.features(profile), &without_this_machine()?);
        step(&format!("compiling {} ({name})", self.title), || {
            Ok(cmd!(
                sh,
                "cargo build --quiet --package web --lib --target {wasm} --profile {name} {features...} {paths...}"
            )
            .quiet()
            .run()?)
        })
    }

    /// The code with what JavaScript calls it by.
    fn pack(self, sh: &Shell, profile: Profile) -> Result<()> {
        // wasm-pack leaves what it finds: files of an earlier build would be served for ever.
        let draft = place::target().join("page").join(self.folder);
        sh.remove_path(&draft)?;
        step(&format!("packing {}", self.title), || {
            let name = self.name;
            let apart = self.is_taken_apart(profile).then_some("--apart");
            if profile == Profile::Release && apart.is_none() {
                self.wasm_pack(sh, &draft)?;
            } else {
                // wasm-pack takes minutes to install, and knows nothing of code that comes apart.
                let code = place::target()
                    .join(tools::WASM)
                    .join(Self::cargo_profile(profile))
                    .join("web.wasm");
                let apart = apart.as_slice();
                packer(sh)
                    .args(["bind", "--name", name])
                    .args(apart)
                    .args([&code, &draft])
                    .run()?;
            }
            if profile == Profile::Release {
                for entry in fs::read_dir(&draft)? {
                    let path = entry?.path();
                    if path.extension().is_some_and(|end| end == "wasm") {
                        bundle::shrink(sh, &path)?;
                        packer(sh).arg("order").arg(&path).run()?;
                        bundle::reorder(sh, &path)?;
                    }
                }
            }
            packer(sh)
                .args(["shrink", "--name", name])
                .arg(&draft)
                .run()?;
            place::renew(&draft, &self.folder())
        })
    }

    fn wasm_pack(self, sh: &Shell, draft: &Path) -> Result<()> {
        let _path = sh.push_env("PATH", tools::path()?);
        let (name, profile) = (self.name, Self::cargo_profile(Profile::Release));
        cmd!(sh, "wasm-pack --quiet build web --target web --no-pack --no-opt --no-gitignore --no-typescript")
            .args(["--mode", "no-install", "--profile", profile, "--out-name", name, "--out-dir"])
            .arg(draft)
            .arg("--")
            .args(self.features(Profile::Release))
            .args(without_this_machine()?)
            .quiet()
            .run()?;
        Ok(())
    }
}

/// Options of cargo that keep the paths of this machine out of the code: panics name their source, and the sources of crates lie in the
/// user's own folder. They are added to what `.cargo/config.toml` says.
fn without_this_machine() -> Result<Vec<String>> {
    let cargo = env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo = cargo.or_else(|| Some(env::home_dir()?.join(".cargo")));
    let cargo = cargo.context("cannot tell where cargo keeps crates: set CARGO_HOME")?;
    let mut flags = Vec::new();
    for registry in fs::read_dir(cargo.join("registry/src"))
        .into_iter()
        .flatten()
    {
        let path = registry?.path();
        // As a string of TOML.
        flags.push(format!("'--remap-path-prefix={}=crates'", path.display()));
    }
    flags.sort();
    let target = tools::WASM;
    Ok(vec![
        "--config".into(),
        format!("target.{target}.rustflags=[{}]", flags.join(",")),
    ])
}

/// Builds the page and all that goes with it, with all set-up.
pub fn build(sh: &Shell, profile: Profile) -> Result<()> {
    bundle::foresee(sh)?;
    page(sh, profile)?;
    rest(sh, profile)?;
    report()
}

/// Builds the page alone, with all set-up. The rest is to follow.
pub fn page(sh: &Shell, profile: Profile) -> Result<()> {
    // On a fresh machine the tools' own builds leave a core idle now and then: the code is compiled meanwhile.
    // wasm-pack then finds it done.
    thread::scope(|scope| {
        let code = scope.spawn(|| {
            tools::require_target(&shell()?, tools::WASM)?;
            match profile {
                Profile::Quick => PAGE.compile(profile),
                Profile::Release => packages().try_for_each(|package| package.compile(profile)),
            }
        });
        let packer = scope.spawn(|| compile_packer(profile));
        if profile == Profile::Release {
            tools::require(sh)?;
        }
        bundle::require(sh)?;
        packer.join().expect("compiling does not panic")?;
        code.join().expect("compiling does not panic")
    })?;
    // Each has the same place: the last that was compiled lies there.
    PAGE.compile(profile)?;
    PAGE.pack(sh, profile)?;
    bundle::bundle(sh, &["app.js", "dialogs.js", "style.css", "pkg/web.js"])?;
    // It is in the bundle.
    sh.remove_path(PAGE.folder().join(LOADER))?;
    index(sh)
}

/// What the packer calls the JavaScript that loads what is apart.
const LOADER: &str = "more.js";

/// Writes the index and what goes with it.
fn index(sh: &Shell) -> Result<()> {
    let root = place::workspace();
    let (site, draft) = (root.join("static"), place::target().join("page/index"));
    sh.create_dir(&draft)?;
    // Empty where the workspace names none.
    let address = Some(env!("CARGO_PKG_HOMEPAGE")).filter(|address| !address.is_empty());
    packer(sh)
        .arg("index")
        .arg(&site)
        .arg("--template")
        .arg(root.join("web/page/index.html"))
        .arg("--cases")
        .arg(root.join("docs/cases"))
        .args(address.iter().flat_map(|address| ["--address", *address]))
        .arg("--out")
        .arg(&draft)
        .run()?;
    for file in ["cases.json", "index.html", "build.json"] {
        place::renew_file(&site.join(file), &fs::read(draft.join(file))?)?;
    }
    Ok(())
}

/// How what makes files of the code is compiled: for a quick build by itself, without what only releases need, and without optimising what then
/// runs for a moment.
fn packer_options(profile: Profile) -> &'static [&'static str] {
    match profile {
        Profile::Quick => &[
            "--package",
            "packer",
            "--no-default-features",
            "--config=profile.dev.package.umem-core.opt-level=0",
            "--config=profile.dev.package.packer.opt-level=0",
        ],
        Profile::Release => NATIVE,
    }
}

/// The program that makes files of the code, as [`page`] has compiled it; what it is to do is to follow.
fn packer(sh: &Shell) -> Cmd<'_> {
    let program = place::target().join("debug/packer");
    cmd!(sh, "{program}").quiet()
}

fn compile_packer(profile: Profile) -> Result<()> {
    let (sh, options) = (shell()?, packer_options(profile));
    step("compiling what packs it", || {
        Ok(cmd!(sh, "cargo build --quiet {options...} --bin packer")
            .quiet()
            .run()?)
    })
}

/// A shell for a thread of its own.
fn shell() -> Result<Shell> {
    let sh = Shell::new()?;
    sh.change_dir(place::workspace());
    Ok(sh)
}

/// Builds the rest, once the page is there.
pub fn rest(sh: &Shell, profile: Profile) -> Result<()> {
    for package in REST {
        // Each has the same place, so that it is packed before the next is compiled.
        package.compile(profile)?;
        package.pack(sh, profile)?;
    }
    bundle::bundle(
        sh,
        &[
            "umem-split.js",
            "element/umem_split.js",
            "plan/umem_plan.js",
        ],
    )
}

/// Fails where the page was never built.
pub fn require_built() -> Result<()> {
    ensure!(
        packages().all(|package| package.folder().exists()),
        "the page is not built yet: run `cargo xtask build`, or leave out --no-build"
    );
    Ok(())
}

/// Says what each package weighs.
fn report() -> Result<()> {
    for package in packages() {
        for entry in fs::read_dir(package.folder())? {
            let entry = entry?;
            let size = entry.metadata()?.len();
            eprintln!(
                "  static/{}/{}: {} KB",
                package.folder,
                entry.file_name().display(),
                size.div_ceil(1000)
            );
        }
    }
    Ok(())
}
