//! `cargo xtask dist`: everything that there is to publish, in one folder.
//!
//! `static_build` makes the programs that need no library, `bundle` packs each with its pages of help, `debian_package` makes the package with
//! RDMA, `site` is what a web server serves, and `inventory` says what all of it is made of. The npm package is `page::package`'s, the crate
//! cargo's own.

mod bundle;
mod debian_package;
mod inventory;
mod site;
pub mod static_build;

use crate::lab::programs;
use crate::page::build::{self, Profile};
use crate::page::{bundle as javascript, package};
use crate::place;
use crate::step::step;
use crate::{book, debian};
use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use std::fs;
use std::path::{Path, PathBuf};
use xshell::{Shell, cmd};

/// What is made.
#[derive(Args)]
pub struct Dist {
    /// The folder for it; what it holds is replaced
    #[arg(long, value_name = "DIR", default_value = "target/dist")]
    out: PathBuf,
    /// Only these
    #[arg(long, value_enum, value_delimiter = ',', value_name = "KIND")]
    only: Vec<Kind>,
}

/// One kind of what is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// `umem` for three processors, each needing no library: everything but verbs
    Static,
    /// A Debian package for this machine's processor, with verbs
    Deb,
    /// The page, the book and the examples, for any static web server
    Site,
    /// The element for npm
    Npm,
    /// umem-core, as `cargo publish` would send it
    Crate,
}

/// The version of all of it: the workspace's.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

impl Dist {
    /// All of it, in `out`.
    pub fn everything(out: PathBuf) -> Self {
        Dist {
            out,
            only: Vec::new(),
        }
    }

    /// Makes it; says where it is.
    pub fn run(self, sh: &Shell) -> Result<()> {
        let made = self.make(sh)?;
        println!("In {}:", self.out.display());
        for file in made {
            println!("  {file}");
        }
        Ok(())
    }

    /// Makes it in a folder beside `out` first, so that `out` is never half of one and half of another. Returns the names in it.
    pub fn make(&self, sh: &Shell) -> Result<Vec<String>> {
        let out = &place::workspace().join(&self.out);
        let draft = place::draft(out);
        let made = self.fill(sh, &draft).and_then(|()| {
            sh.remove_path(out)?;
            fs::create_dir_all(out.parent().context("it lies in a folder")?)?;
            fs::rename(&draft, out)
                .with_context(|| format!("cannot put it into {}", out.display()))?;
            inventory::names(out)
        });
        let _ = fs::remove_dir_all(&draft);
        made
    }

    fn fill(&self, sh: &Shell, out: &Path) -> Result<()> {
        let wanted = |kind| self.wants(kind);
        debian::require(sh, "what is published", &self.packages())?;
        fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
        // `umem view` carries the page, so that comes first.
        if self.wants_the_page() {
            build::build(sh, Profile::Release)?;
        }
        if wanted(Kind::Static) {
            let here = static_build::of_this_machine()?.build(sh)?;
            for target in static_build::TARGETS {
                bundle::pack(sh, target, &target.build(sh)?, &here, out)?;
            }
        }
        if wanted(Kind::Deb) {
            debian_package::make(sh, out)?;
        }
        if wanted(Kind::Site) {
            book::run(sh)?;
            site::make(&out.join("site"))?;
        }
        if wanted(Kind::Npm) {
            debian::require_programs(sh, "packing for npm", &[("npm", "npm")])?;
            copy_into(&package::pack(sh)?, out)?;
        }
        if wanted(Kind::Crate) {
            step(
                "packing umem-core as a crate, and building it from there",
                || Ok(cmd!(sh, "cargo package --quiet -p umem-core --allow-dirty").run()?),
            )?;
            let name = format!("umem-core-{VERSION}.crate");
            copy_into(&place::target().join("package").join(name), out)?;
        }
        inventory::bill_of_materials(sh, out)?;
        inventory::checksums(out)
    }

    fn wants(&self, kind: Kind) -> bool {
        self.only.is_empty() || self.only.contains(&kind)
    }

    fn wants_the_page(&self) -> bool {
        [Kind::Static, Kind::Deb, Kind::Site, Kind::Npm]
            .into_iter()
            .any(|kind| self.wants(kind))
    }

    /// Debian's packages for all of it: minutes are spent on building only once they are there, and those that are missing are named together.
    pub fn packages(&self) -> Vec<&'static str> {
        let mut packages = Vec::new();
        if self.wants_the_page() {
            packages.extend(debian::of_absent(javascript::PROGRAMS));
        }
        if self.wants(Kind::Static) {
            let all = static_build::TARGETS.iter();
            packages.extend(all.flat_map(|target| target.packages));
        }
        if self.wants(Kind::Deb) {
            packages.extend(debian_package::PACKAGES);
            packages.extend(programs::BUILD_PACKAGES);
        }
        packages
    }
}

/// Copies a file into a folder.
fn copy_into(file: &Path, folder: &Path) -> Result<()> {
    let name = file.file_name().context("a file has a name")?;
    fs::copy(file, folder.join(name)).with_context(|| format!("cannot copy {}", file.display()))?;
    Ok(())
}
