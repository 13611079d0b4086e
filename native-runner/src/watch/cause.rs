//! A refused registration: at which gate it was stopped, as far as that can be told from outside, and the way out.

use serde::Serialize;
use umem_core::{
    gate::{Errno, Gate},
    size::{Bytes, PageSize},
};

use super::{seen::Seen, wire::Kind};

/// A refusal in words.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Refusal {
    /// What the program sees: "ENOMEM".
    pub errno: String,
    /// The gate.
    pub gate: Gate,
    /// What happened there.
    pub text: String,
    /// What helps.
    pub way_out: String,
}

/// `CAP_IPC_LOCK`
const IPC_LOCK: u32 = 14;

impl Seen {
    /// Why it was refused; `None` if it was not.
    pub fn refusal(&self, page: PageSize) -> Option<Refusal> {
        let number = self.errno()?;
        let errno = Errno::ALL
            .into_iter()
            .find(|errno| errno.number() == number);
        let (gate, text, way_out) = match self.get.errno() {
            Some(_) => self.refused_getting(errno, page),
            None => self.refused_later(page),
        };
        Some(Refusal {
            errno: errno.map_or(format!("errno {number}"), |errno| errno.name().to_owned()),
            gate,
            text,
            way_out,
        })
    }

    /// Of `ib_umem_get()` itself.
    fn refused_getting(&self, errno: Option<Errno>, page: PageSize) -> (Gate, String, String) {
        let told = |gate, text: &str, way_out: &str| (gate, text.to_owned(), way_out.to_owned());
        if self.kind() == Kind::DmaBuf {
            return told(
                Gate::Pin,
                "the dma-buf cannot be attached to this device",
                "check that the descriptor is a dma-buf whose exporter lets this device reach it (peer-to-peer)",
            );
        }
        if self.kind() == Kind::OnDemand {
            return told(
                Gate::Pin,
                "paging on demand was refused for this range",
                "register whole pages that are mapped, or without IBV_ACCESS_ON_DEMAND",
            );
        }
        if self.get.reached_mapping {
            return match errno {
                Some(Errno::Enomem) => told(
                    Gate::Map,
                    "the IOMMU has no room of that size left, or no memory for its tables",
                    "register less at once, or boot with iommu=pt where the machine's owner allows it",
                ),
                _ => told(
                    Gate::Map,
                    "the list was not mapped for the device",
                    "register less than 4G at once (before Linux 6.12.117 and 7.3.4 longer ones behind an IOMMU fail); see dmesg",
                ),
            };
        }
        match errno {
            Some(Errno::Eperm) => told(
                Gate::Memlock,
                "the process may not lock memory at all: its limit is 0",
                "raise the limit: ulimit -l, LimitMEMLOCK= of the service, or CAP_IPC_LOCK",
            ),
            Some(Errno::Enomem) if self.is_over_memlock(page) => self.over_memlock(page),
            Some(Errno::Enomem) => told(
                Gate::Pin,
                "no memory for the pages or for the list",
                "look at the limit of its control group (memory.max) and at dmesg",
            ),
            Some(Errno::Efault) => told(
                Gate::Pin,
                "a page of the range is not mapped, is read-only while writing is asked for, or is a file's that may not be pinned",
                "umem capture --pid on the range names the mapping; map it writable, or register it for reading alone",
            ),
            Some(Errno::Eopnotsupp) => told(
                Gate::Pin,
                "this memory cannot be pinned for long (DAX, or memory of a confidential VM)",
                "register other memory, or with IBV_ACCESS_ON_DEMAND where the device pages on demand",
            ),
            Some(Errno::Einval) => told(
                Gate::Memlock,
                "the range is empty, wraps around the address space, or has more than 2^32 pages",
                "check address and length",
            ),
            Some(Errno::Eintr | Errno::Eagain) => told(
                Gate::Pin,
                "pinning was interrupted, or pages could not be moved to where they may be pinned",
                "try again; memory that cannot move (ZONE_MOVABLE, CMA) may be in the way",
            ),
            _ => told(
                Gate::Pin,
                "the pages were not pinned",
                "umem capture --pid on the range names the mapping",
            ),
        }
    }

    /// Of the driver or the device, after the list was made and mapped.
    fn refused_later(&self, page: PageSize) -> (Gate, String, String) {
        if self.best.is_some_and(|best| best.best == 0) {
            return (
                Gate::PageSize,
                "no page size of the device fits the list".into(),
                "give address and NIC address the same offset in a page, or use larger pages"
                    .into(),
            );
        }
        let table = match (self.entries(page), self.page_size()) {
            (Some(entries), Some(size)) => format!("a table of {entries} × {size}"),
            _ => "its table".into(),
        };
        (
            Gate::Firmware,
            format!(
                "pinned and mapped; then the driver or the device refused {table}, or could not get memory for it"
            ),
            "fewer entries (larger pages, smaller regions); umem plan shows the device's limits, dmesg its own words"
                .into(),
        )
    }

    /// Whether the limit on locked memory alone explains ENOMEM.
    fn is_over_memlock(&self, page: PageSize) -> bool {
        let wanted = u128::from(self.get.pinned) + u128::from(self.pages(page));
        let allowed = u128::from(self.get.memlock >> page.log2());
        self.get.capabilities & 1 << IPC_LOCK == 0 && wanted > allowed
    }

    fn over_memlock(&self, page: PageSize) -> (Gate, String, String) {
        let bytes = |pages: u64| Bytes(pages.saturating_mul(page.bytes()));
        let pages = self.pages(page);
        let needed = bytes(self.get.pinned.saturating_add(pages));
        (
            Gate::Memlock,
            format!(
                "the limit on locked memory is {}, {} are pinned, and this needs {} more",
                Bytes(self.get.memlock),
                bytes(self.get.pinned),
                bytes(pages)
            ),
            format!(
                "raise the limit to {needed} or more (prlimit --pid {} --memlock={}; for good: LimitMEMLOCK= of the service, or ulimit -l)",
                self.get.pid(),
                needed.0
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::seen::tests::seen;
    use super::*;

    fn refused(change: impl FnOnce(&mut Seen)) -> Refusal {
        let mut seen = seen();
        change(&mut seen);
        seen.refusal(PageSize::K4).unwrap()
    }

    fn fails(seen: &mut Seen, errno: i64) {
        seen.get.umem = -errno as u64;
        seen.get.reached_mapping = false;
    }

    #[test]
    fn the_limit_on_locked_memory_is_told_with_its_numbers() {
        let refusal = refused(|seen| {
            fails(seen, 12);
            (seen.get.memlock, seen.get.pinned) = (8 << 20, 2047);
        });
        assert_eq!(
            (refusal.errno.as_str(), refusal.gate),
            ("ENOMEM", Gate::Memlock)
        );
        assert_eq!(
            refusal.text,
            "the limit on locked memory is 8M, 8188K are pinned, and this needs 8K more"
        );
        assert!(refusal.way_out.contains("8196K"), "{}", refusal.way_out);
        // With the capability, the limit is not the cause.
        let other = refused(|seen| {
            fails(seen, 12);
            (seen.get.memlock, seen.get.capabilities) = (0, 1 << IPC_LOCK);
        });
        assert_eq!(other.gate, Gate::Pin);
    }

    #[test]
    fn each_gate_is_told_from_the_others() {
        assert_eq!(refused(|seen| fails(seen, 14)).gate, Gate::Pin);
        assert_eq!(refused(|seen| fails(seen, 1)).gate, Gate::Memlock);
        let mapping = refused(|seen| {
            fails(seen, 12);
            seen.get.reached_mapping = true;
        });
        assert_eq!(mapping.gate, Gate::Map);
        let none_fits = refused(|seen| {
            seen.result = Some(-22);
            seen.best.as_mut().unwrap().best = 0;
        });
        assert_eq!(none_fits.gate, Gate::PageSize);
        let firmware = refused(|seen| seen.result = Some(-12));
        assert_eq!(firmware.gate, Gate::Firmware);
        assert!(firmware.text.contains("2 × 4K"), "{}", firmware.text);
        let odd = refused(|seen| fails(seen, 4000));
        assert_eq!(odd.errno, "errno 4000");
        assert_eq!(seen().refusal(PageSize::K4), None);
    }
}
