//! What a program saw, beside what the rules answer.

use umem_core::{gate::Errno, registration::Registration};

/// What to make of it if the two differ, or if nothing refuses.
pub fn against(registration: &Registration) -> Option<String> {
    let saw = registration.scenario().process.saw?;
    let suspects = suspects(saw);
    match registration.table() {
        Ok(_) => Some(format!(
            "the program saw {saw}, and by the rules this region registers. So something is not as the scenario says, or other regions count as well: {suspects}"
        )),
        Err(refusal) => match refusal.errno() {
            Some(errno) if errno != saw => Some(format!(
                "the program saw {saw}, and this gate gives {errno}. So something before it is not as the scenario says: {suspects}"
            )),
            _ => None,
        },
    }
}

/// Where to look first if a program sees this.
pub fn suspects(errno: Errno) -> &'static str {
    match errno {
        Errno::Enomem => {
            "look at the gates memlock (the limit on locked memory), table and firmware (too many entries), map, and pin (ZONE_MOVABLE)"
        }
        Errno::Einval => {
            "look at the gates fork-support (huge pages: say --backing hugetlb, --page-size and --fork-support), uverbs (flags), map and page-size"
        }
        Errno::Efault => {
            "look at the gate pin: a hole, a read-only mapping, a device's memory; paste /proc/PID/smaps along"
        }
        Errno::Eagain => {
            "look at the gates uverbs (the rdma control group) and fork-support (vm.max_map_count)"
        }
        Errno::Eperm => "look at the gate memlock: the limit is 0",
        Errno::Eopnotsupp => {
            "look at the gates driver (what the device lacks) and pin (a file on DAX)"
        }
        Errno::Eio => "look at the gates firmware and map",
        _ => "`umem plan --why` goes through the gates",
    }
}
