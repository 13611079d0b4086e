//! Debian's packages: what a task needs is installed when it is missing and this machine allows it.

mod changes;

use crate::place;
use crate::step::{MachineCannot, run_quietly, step};
use anyhow::Result;
use changes::Changes;
use std::path::{Path, PathBuf};
use std::sync::Once;
use xshell::{Shell, cmd};

/// What installs packages, which follow it up to the end of the message: the report of a test run gathers them. A fresh machine knows no
/// package, and an old one knows versions that are gone, so that the lists are refreshed first.
pub const INSTALL: &str = "sudo apt-get update && sudo apt-get install --no-install-recommends ";

/// Installs those of `packages` that are missing. `purpose` tells the reader what they are for.
pub fn require(sh: &Shell, purpose: &str, packages: &[&str]) -> Result<()> {
    let missing = installable(sh, purpose, packages)?;
    if missing.is_empty() {
        return Ok(());
    }
    let _alone = place::set_up_alone()?;
    refresh(sh)?;
    // Another process may have installed it by now; apt then changes nothing.
    let wanted = &missing;
    let changes = foreseen(sh, wanted)?;
    if !changes.removed.is_empty() {
        return Err(MachineCannot(format!(
            "{purpose} needs {}, and to install them apt would remove {}; where that is as it should be: \
             apt-get install --no-install-recommends {}",
            missing.join(" "),
            changes.removed.join(" "),
            missing.join(" ")
        ))
        .into());
    }
    eprintln!("apt is about to change this system, for {purpose}:\n{changes}");
    step(&format!("installing {}", missing.join(" ")), || {
        let _noninteractive = sh.push_env("DEBIAN_FRONTEND", "noninteractive");
        run_quietly(cmd!(
            sh,
            "apt-get install --yes --no-remove --quiet --no-install-recommends --option DPkg::Lock::Timeout=300 {wanted...}"
        ))
    })
}

/// What installing these packages would change.
fn foreseen(sh: &Shell, packages: &[&str]) -> Result<Changes> {
    let simulated = cmd!(
        sh,
        "apt-get install --simulate --no-install-recommends {packages...}"
    );
    let said = simulated.quiet().ignore_stderr().ignore_status().read()?;
    Ok(Changes::read(&said))
}

/// The packages that would go if those of `packages` that are missing came.
pub fn removed_by(sh: &Shell, packages: &[&str]) -> Result<Vec<String>> {
    if !is_debian() || absent(sh, packages)?.is_empty() {
        return Ok(Vec::new());
    }
    update(sh)?;
    Ok(foreseen(sh, packages)?.removed)
}

/// Those of `packages` that are missing, and that this machine lets us install.
///
/// # Errors
/// It does not: [`MachineCannot`].
fn installable<'a>(sh: &Shell, purpose: &str, packages: &[&'a str]) -> Result<Vec<&'a str>> {
    if packages.is_empty() {
        return Ok(Vec::new());
    }
    if !is_debian() {
        return Err(MachineCannot(format!(
            "{purpose} needs Debian's packages {}, and this machine is no Debian",
            packages.join(" ")
        ))
        .into());
    }
    let missing = absent(sh, packages)?;
    if !missing.is_empty() && !is_root(sh) {
        return Err(MachineCannot(format!(
            "{purpose} needs Debian packages that are missing; install them with: {INSTALL}{}",
            missing.join(" ")
        ))
        .into());
    }
    Ok(missing)
}

/// Installs the packages of those programs, given as (program, package), that are not on PATH.
pub fn require_programs(sh: &Shell, purpose: &str, programs: &[(&str, &str)]) -> Result<()> {
    let packages = foresee_programs(sh, purpose, programs)?;
    require(sh, purpose, &packages)
}

/// The packages that [`require_programs`] is going to install. What takes minutes begins only where it can end: it fails where that will.
pub fn foresee_programs<'a>(
    sh: &Shell,
    purpose: &str,
    programs: &[(&str, &'a str)],
) -> Result<Vec<&'a str>> {
    let missing = installable(sh, purpose, &of_absent(programs))?;
    match lost(programs, is_there, &missing) {
        None => Ok(missing),
        Some((name, package)) => Err(MachineCannot(format!(
            "{purpose} needs {name}, which is not on PATH, though Debian's package {package} is installed"
        ))
        .into()),
    }
}

/// The packages of those programs, given as (program, package), that are not on PATH.
pub fn of_absent<'a>(programs: &[(&str, &'a str)]) -> Vec<&'a str> {
    packages_of(programs, is_there)
}

fn is_there(name: &str) -> bool {
    program(name).is_some()
}

/// A program that is not there, though its package is not missing.
fn lost<'a>(
    programs: &[(&'a str, &'a str)],
    is_there: impl Fn(&str) -> bool,
    missing: &[&str],
) -> Option<(&'a str, &'a str)> {
    let mut programs = programs.iter().copied();
    programs.find(|(name, package)| !is_there(name) && !missing.contains(package))
}

/// The packages of those programs that are not there, each once: a package may have several of them.
fn packages_of<'a>(programs: &[(&str, &'a str)], is_there: impl Fn(&str) -> bool) -> Vec<&'a str> {
    let mut packages = Vec::new();
    for (name, package) in programs {
        if !is_there(name) && !packages.contains(package) {
            packages.push(*package);
        }
    }
    packages
}

/// Where on PATH a program is.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// Refreshes apt's lists, once in the life of this process. Without root it leaves them as they are.
pub fn update(sh: &Shell) -> Result<()> {
    let _alone = place::set_up_alone()?;
    refresh(sh)
}

fn refresh(sh: &Shell) -> Result<()> {
    static ONCE: Once = Once::new();
    let mut result = Ok(());
    if is_root(sh) {
        ONCE.call_once(|| result = run_quietly(cmd!(sh, "apt-get update --quiet")));
    }
    result
}

/// Those of `packages` that are not installed.
fn absent<'a>(sh: &Shell, packages: &[&'a str]) -> Result<Vec<&'a str>> {
    let format = "${Package}=${db:Status-Status}\\n";
    let status = cmd!(sh, "dpkg-query --show --showformat={format} {packages...}")
        .quiet()
        .ignore_stderr()
        .ignore_status()
        .read()?;
    Ok(missing(packages, &status))
}

/// Whether this machine has Debian's package tools.
pub fn is_debian() -> bool {
    Path::new("/etc/debian_version").exists() && Path::new("/usr/bin/dpkg-query").exists()
}

fn is_root(sh: &Shell) -> bool {
    cmd!(sh, "id --user")
        .quiet()
        .read()
        .is_ok_and(|id| id == "0")
}

/// Those of `packages` that `status`, lines of `name=state`, does not call installed.
fn missing<'a>(packages: &[&'a str], status: &str) -> Vec<&'a str> {
    let installed = |package: &str| {
        status
            .lines()
            .any(|line| line.split_once('=') == Some((package, "installed")))
    };
    packages
        .iter()
        .copied()
        .filter(|package| !installed(package))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{lost, missing, packages_of};

    #[test]
    fn a_package_with_two_programs_is_named_once() {
        let programs = [
            ("prometheus", "prometheus"),
            ("promtool", "prometheus"),
            ("node", "nodejs"),
        ];
        assert_eq!(packages_of(&programs, |_| false), ["prometheus", "nodejs"]);
        assert_eq!(
            packages_of(&programs, |name| name == "node"),
            ["prometheus"]
        );
        assert!(packages_of(&programs, |_| true).is_empty());
    }

    #[test]
    fn a_program_off_the_path_is_told_from_one_that_can_be_installed() {
        let programs = [("node", "nodejs"), ("npm", "npm")];
        let node_is_there = |name: &str| name == "node";
        assert_eq!(lost(&programs, node_is_there, &["npm"]), None);
        assert_eq!(lost(&programs, node_is_there, &[]), Some(("npm", "npm")));
        assert_eq!(lost(&programs, |_| true, &[]), None);
    }

    #[test]
    fn only_packages_in_the_state_installed_count() {
        let status = "busybox-static=installed\nkmod=config-files\nkmod-extra=installed";
        assert_eq!(
            missing(&["busybox-static", "kmod", "cpio"], status),
            ["kmod", "cpio"]
        );
    }
}
