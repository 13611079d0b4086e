//! The real limits, found by registering: the longest region and the budget of all together, by page size.
//!
//! The same few megabytes of memory back every page of what is registered, so that it takes little memory; but each registration pins them anew,
//! and the kernel and the device make whole tables. Everything is released at once, also after Ctrl-C.

#[cfg(any(test, feature = "rdma"))]
use std::io;

use serde::Serialize;

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Found {
    /// Nothing longer was tried, in bytes.
    pub most: u64,
    /// One for each page size that was tried.
    pub by_page_size: Vec<Searched>,
    /// Page sizes that were not tried, and why.
    pub skipped: Vec<String>,
}

/// What was found with memory in pages of one size.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Searched {
    /// The size of the memory's pages in bytes.
    pub page_size: u64,
    /// The longest region that was registered, in bytes; 0: none.
    pub largest: u64,
    /// The shortest region that was refused; `None`: none was, up to the most.
    pub too_long: Option<Refused>,
    /// The most bytes that were registered at once.
    pub budget: u64,
    /// What ended that; `None`: nothing, up to the most, or up to 4096 regions.
    pub too_much: Option<Refused>,
}

/// A refusal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Refused {
    /// The bytes that were too many.
    pub bytes: u64,
    /// What the program sees, as a number.
    pub errno: i32,
    /// The same in words.
    pub text: String,
}

#[cfg(any(test, feature = "rdma"))]
impl Refused {
    fn new(bytes: u64, error: &io::Error) -> Self {
        Self {
            bytes,
            errno: error.raw_os_error().unwrap_or(0),
            text: error.to_string(),
        }
    }
}

/// What is registered with.
#[cfg(any(test, feature = "rdma"))]
pub trait Backing {
    /// A region that is registered for as long as the value lives.
    type Region;

    /// The size of the memory's pages in bytes.
    fn page_size(&self) -> u64;

    /// Registers the first `bytes` of the memory.
    fn register(&self, bytes: u64) -> io::Result<Self::Region>;
}

/// Regions beside each other take so many parts of the most, or more where they are refused.
#[cfg(any(test, feature = "rdma"))]
const PARTS: u64 = 16;

/// So many regions beside each other are enough: of a device that takes tiny ones alone, the budget stays open.
#[cfg(any(test, feature = "rdma"))]
const MOST_REGIONS: usize = 4096;

/// Searches up to `most` bytes. `check` fails when it is to end.
#[cfg(any(test, feature = "rdma"))]
pub fn search<B: Backing>(
    backing: &B,
    most: u64,
    check: &mut dyn FnMut() -> io::Result<()>,
) -> io::Result<Searched> {
    let page = backing.page_size();
    let most = most / page * page;
    let (largest, too_long) = longest(backing, most, check)?;
    let (budget, too_much) = match largest {
        0 => (0, None),
        _ => together(backing, most, largest, check)?,
    };
    Ok(Searched {
        page_size: page,
        largest,
        too_long,
        budget,
        too_much,
    })
}

/// The longest region: doubled until one is refused, then narrowed down to a page.
#[cfg(any(test, feature = "rdma"))]
fn longest<B: Backing>(
    backing: &B,
    most: u64,
    check: &mut dyn FnMut() -> io::Result<()>,
) -> io::Result<(u64, Option<Refused>)> {
    let page = backing.page_size();
    let mut fits = 0;
    let mut too_long: Option<Refused> = None;
    loop {
        let next = match &too_long {
            None if fits == most => break,
            None => (fits * 2).clamp(page, most),
            Some(refused) if refused.bytes - fits <= page => break,
            Some(refused) => fits + (refused.bytes - fits) / 2 / page * page,
        };
        check()?;
        match backing.register(next) {
            Ok(region) => {
                drop(region);
                fits = next;
            }
            Err(error) => too_long = Some(Refused::new(next, &error)),
        }
    }
    Ok((fits, too_long))
}

/// Regions beside each other until one is refused, then shorter ones, down to a page.
#[cfg(any(test, feature = "rdma"))]
fn together<B: Backing>(
    backing: &B,
    most: u64,
    largest: u64,
    check: &mut dyn FnMut() -> io::Result<()>,
) -> io::Result<(u64, Option<Refused>)> {
    let page = backing.page_size();
    let mut regions = Vec::new();
    let mut budget = 0;
    let mut refused = None;
    let mut piece = (most / PARTS / page * page).clamp(page, largest);
    while budget < most && regions.len() < MOST_REGIONS {
        let next = piece.min(most - budget);
        check()?;
        match backing.register(next) {
            Ok(region) => {
                regions.push(region);
                budget += next;
            }
            Err(error) => {
                refused = Some(Refused::new(budget + next, &error));
                if next == page {
                    break;
                }
                piece = (next / 2 / page * page).max(page);
            }
        }
    }
    Ok((budget, refused.filter(|_| budget < most)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::{cell::Cell, rc::Rc};

    /// A device with so many entries for a region, and for all; it counts those that are in use.
    struct Device {
        page: u64,
        of_region: u64,
        of_all: u64,
        used: Rc<Cell<u64>>,
        asked: Cell<u64>,
    }

    struct Held(u64, Rc<Cell<u64>>);

    impl Drop for Held {
        fn drop(&mut self) {
            self.1.set(self.1.get() - self.0);
        }
    }

    impl Device {
        fn new(page: u64, of_region: u64, of_all: u64) -> Self {
            let (used, asked) = Default::default();
            Self {
                page,
                of_region,
                of_all,
                used,
                asked,
            }
        }
    }

    impl Backing for Device {
        type Region = Held;

        fn page_size(&self) -> u64 {
            self.page
        }

        fn register(&self, bytes: u64) -> io::Result<Held> {
            self.asked.set(self.asked.get() + 1);
            let entries = bytes / self.page;
            assert!(entries > 0 && bytes.is_multiple_of(self.page), "{bytes}");
            if entries > self.of_region {
                return Err(io::Error::from_raw_os_error(libc::ENOMEM));
            }
            if self.used.get() + entries > self.of_all {
                return Err(io::Error::from_raw_os_error(libc::EINVAL));
            }
            self.used.set(self.used.get() + entries);
            Ok(Held(entries, Rc::clone(&self.used)))
        }
    }

    proptest! {
        #[test]
        fn limits_are_found_to_the_page_and_all_is_released(
            of_region in 1u64..5000, more in 0u64..5000, most in 1u64..12_000, huge in any::<bool>(),
        ) {
            let page = if huge { 2 << 20 } else { 4096 };
            let device = Device::new(page, of_region, of_region + more);
            let found = search(&device, most * page + 17, &mut || Ok(())).unwrap();
            prop_assert_eq!(found.largest, of_region.min(most) * page);
            prop_assert_eq!(found.too_long.is_some(), of_region < most);
            let all = (of_region + more).min(most);
            // Of more and smaller regions than it has patience for, it says what it has seen.
            let in_time = all / of_region.min(most) < MOST_REGIONS as u64 - 64;
            if in_time {
                prop_assert_eq!(found.budget, all * page);
                prop_assert_eq!(found.too_much.is_some(), of_region + more < most);
            }
            prop_assert!(found.budget <= all * page);
            if let Some(refused) = found.too_much {
                prop_assert_eq!(refused.errno, libc::EINVAL);
            }
            prop_assert_eq!(device.used.get(), 0);
            // A binary search, not one after the other; then as many as there is room for.
            let most_asked = 100 + (all / of_region.min(most)).min(MOST_REGIONS as u64);
            prop_assert!(device.asked.get() < most_asked, "{}", device.asked.get());
        }
    }

    #[test]
    fn it_ends_when_it_is_told_to_and_releases() {
        let device = Device::new(4096, 1000, 1000);
        let mut left = 30;
        let ended = search(&device, 1 << 30, &mut || {
            left -= 1;
            match left {
                0 => Err(io::Error::other("interrupted")),
                _ => Ok(()),
            }
        });
        assert!(ended.is_err());
        assert_eq!(device.used.get(), 0);
    }

    #[test]
    fn a_device_that_takes_nothing_has_no_budget() {
        let device = Device::new(4096, 0, 0);
        let found = search(&device, 1 << 20, &mut || Ok(())).unwrap();
        assert_eq!((found.largest, found.budget), (0, 0));
        assert_eq!(found.too_long.unwrap().bytes, 4096);
    }
}
