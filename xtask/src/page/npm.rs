//! Packages of npm, exactly as a lock file has them.

use crate::place;
use crate::step::{run_quietly, step};
use anyhow::Result;
use xshell::{Shell, cmd};

/// Installs what the lock file in the present folder names: npm takes half a minute even to change nothing.
pub fn install(sh: &Shell, what: &str) -> Result<()> {
    let _alone = place::set_up_alone()?;
    let installed = "node_modules/.installed-lock.json";
    let wanted = sh.read_file("package-lock.json")?;
    if sh.read_file(installed).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    step(&format!("installing {what}"), || {
        run_quietly(cmd!(sh, "npm ci"))
    })?;
    Ok(sh.write_file(installed, wanted)?)
}
