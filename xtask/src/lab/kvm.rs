//! Whether KVM is worth a try on this host.

use crate::place;
use anyhow::Result;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// How long a guest under KVM may take to reach its first process; where KVM works it takes one or two seconds.
pub const PATIENCE: Duration = Duration::from_secs(6);

/// Whether KVM can be opened, and has not failed since this host was started.
pub fn may_work() -> bool {
    let opens = fs::File::options()
        .read(true)
        .write(true)
        .open("/dev/kvm")
        .is_ok();
    opens && fs::read_to_string(memory()).ok().as_deref() != Some(&this_boot())
}

/// Lets later runs spare themselves the attempt, until the host is started again.
pub fn remember_failure() -> Result<()> {
    Ok(fs::write(memory(), this_boot())?)
}

fn memory() -> PathBuf {
    place::target().join("lab/kvm-failed-in-boot")
}

fn this_boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default()
}
