//! `cargo xtask package`: the element as an npm package, which others' bundlers and servers take.

use super::build::{self, Profile};
use crate::debian;
use crate::place;
use crate::step::{run_quietly, step};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use xshell::{Shell, cmd};

const NAME: &str = "umem-split";
/// What stands for the workspace's version in `web/npm/package.json`.
const ANY_VERSION: &str = "0.0.0-workspace";
/// What goes into the package, from below the workspace. What wasm-pack wrote is among it.
const FILES: [&str; 12] = [
    "web/npm/package.json",
    "web/npm/README.md",
    "web/npm/custom-elements.json",
    "LICENSE-MIT",
    "LICENSE-APACHE",
    "static/umem-split.js",
    "static/umem-split.d.ts",
    "static/umem-formats.d.ts",
    "static/element/umem_split.js",
    "static/element/umem_split_bg.wasm",
    "static/plan/umem_plan.js",
    "static/plan/umem_plan_bg.wasm",
];

/// Where a file of the workspace stands in the package.
fn inside(file: &str) -> &str {
    ["web/npm/", "static/"]
        .iter()
        .find_map(|folder| file.strip_prefix(folder))
        .unwrap_or(file)
}

/// Builds the element and packs it. Returns the tarball.
pub fn package(sh: &Shell) -> Result<PathBuf> {
    debian::require_programs(sh, "packing for npm", &[("npm", "npm")])?;
    build::build(sh, Profile::Release)?;
    pack(sh)
}

/// Packs what is built.
pub fn pack(sh: &Shell) -> Result<PathBuf> {
    let version = env!("CARGO_PKG_VERSION");
    let npm = place::target().join("npm");
    let folder = npm.join(NAME);
    step("packing the element for npm", || {
        // A file that is no longer in the package would stay in it.
        sh.remove_path(&folder)?;
        for file in FILES {
            copy(&place::workspace().join(file), &folder.join(inside(file)))?;
        }
        let description = folder.join("package.json");
        let text = fs::read_to_string(&description)?;
        ensure!(
            text.contains(ANY_VERSION),
            "web/npm/package.json has another version than {ANY_VERSION}"
        );
        let text = text.replace(ANY_VERSION, version);
        fs::write(
            &description,
            described(
                &text,
                env!("CARGO_PKG_REPOSITORY"),
                env!("CARGO_PKG_HOMEPAGE"),
            ),
        )?;
        let _there = sh.push_dir(&folder);
        run_quietly(cmd!(
            sh,
            "npm pack --ignore-scripts --pack-destination {npm}"
        ))
    })?;
    Ok(npm.join(format!("{NAME}-{version}.tgz")))
}

/// The description with where the code is, where to report and where to read on, as far as the workspace says.
fn described(text: &str, repository: &str, homepage: &str) -> String {
    let mut places = String::from("{");
    if !repository.is_empty() {
        places +=
            &format!("\n  \"repository\": \"{repository}\",\n  \"bugs\": \"{repository}/issues\",");
    }
    let homepage = [homepage, repository]
        .into_iter()
        .find(|place| !place.is_empty());
    if let Some(homepage) = homepage {
        places += &format!("\n  \"homepage\": \"{homepage}\",");
    }
    text.replacen('{', &places, 1)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to.parent().expect("a file lies in a folder"))?;
    fs::copy(from, to)
        .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{described, inside};

    #[test]
    fn addresses_are_told_where_there_are_some() {
        let text = "{\n  \"name\": \"x\"\n}";
        assert_eq!(described(text, "", ""), text);
        let (code, page) = ("https://example.org/umem", "https://umem.example.org/");
        assert_eq!(
            described(text, code, ""),
            "{\n  \"repository\": \"https://example.org/umem\",\n  \"bugs\": \"https://example.org/umem/issues\",\n  \
             \"homepage\": \"https://example.org/umem\",\n  \"name\": \"x\"\n}"
        );
        let told = described(text, "", page);
        assert_eq!(
            told,
            "{\n  \"homepage\": \"https://umem.example.org/\",\n  \"name\": \"x\"\n}"
        );
        assert!(
            described(text, code, page).contains("\"homepage\": \"https://umem.example.org/\"")
        );
    }

    #[test]
    fn files_lie_in_the_package_as_in_static() {
        assert_eq!(
            inside("static/element/umem_split.js"),
            "element/umem_split.js"
        );
        assert_eq!(inside("web/npm/README.md"), "README.md");
        assert_eq!(inside("LICENSE-MIT"), "LICENSE-MIT");
    }
}
