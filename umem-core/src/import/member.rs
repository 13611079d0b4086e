//! A registration of the text, with the memory behind it.

use super::{
    error::{ImportError, Missing},
    found::{Found, Given, PAGE},
    mapping::Mapping,
};
use crate::{
    address::VirtAddr,
    device::Access,
    memory::Kind,
    scenario::{AreaSpec, Backing, LayoutName, MemorySpec, Region},
    set::Member,
    size::Bytes,
};
use alloc::{format, string::String, vec::Vec};

/// What x86-64 and arm64 with pages of 4K have as transparent huge pages.
const TRANSPARENT: u64 = 2 << 20;

/// A registration with its memory; `None` where something is missing.
pub(super) fn member(
    found: &Found,
    mappings: &[Mapping],
    given: &Given,
    missing: &mut Vec<Missing>,
    notes: &mut Vec<String>,
) -> Option<Result<Member, ImportError>> {
    let address = given.va.map(VirtAddr::get).or(found.address);
    let length = given.length.map(|Bytes(length)| length).or(found.length);
    let holds =
        |address| move |mapping: &&Mapping| mapping.start <= address && address < mapping.end;
    let mapping = address.and_then(|address| mappings.iter().find(holds(address)));
    let page = given.page_size.map(|Bytes(size)| size);
    let page = page.or_else(|| Some(pages_of(mapping?, notes)));
    let page = page.or(found.dma_buf.then(|| given.kernel_page()));
    if length.is_none() {
        missing.push(LENGTH);
    }
    if page.is_none() {
        missing.push(PAGES);
    }
    let (length, page) = (length?, page?);
    let wraps = || wraps(found.line, address.unwrap_or(0), length);
    let Some(end) = address.unwrap_or(0).checked_add(length) else {
        return Some(Err(wraps()));
    };
    let region = region(address, length, page, notes);
    let backing = given.backing;
    let backing = backing.or_else(|| Some(mapping?.backing(given.kernel_page())));
    let kind = match found.dma_buf {
        true => Kind::DmaBuf,
        false => Kind::Pages,
    };
    let mut area = area(backing, mapping.map(|mapping| (mapping, end)), notes);
    let huge = matches!(area.backing, Backing::Hugetlb | Backing::Devdax);
    if huge && page > given.kernel_page() {
        // Whole pages are mapped.
        let Some(mapped) = (region.offset.0 + length).checked_next_multiple_of(page) else {
            return Some(Err(wraps()));
        };
        area.page_size = Some(Bytes(page));
        area.length = Some(Bytes(mapped));
    }
    let memory = MemorySpec {
        kind,
        page_size: Some(Bytes(page)),
        layout: given.layout.or(Some(LayoutName::Scattered)),
        areas: match backing.filter(|_| kind == Kind::Pages) {
            Some(_) => alloc::vec![area],
            None => Vec::new(),
        },
        ..MemorySpec::default()
    };
    Some(Ok(Member {
        name: None,
        region,
        memory,
        count: 1,
        provenance: None,
    }))
}

const LENGTH: Missing = Missing {
    what: "how long the region is",
    option: "--length SIZE",
    find: "the program's log or its configuration",
};

const PAGES: Missing = Missing {
    what: "the pages that back it",
    option: "--page-size SIZE",
    find: "4K unless huge pages were asked for; KernelPageSize and AnonHugePages in /proc/PID/smaps, which may be pasted along",
};

fn wraps(line: usize, address: u64, length: u64) -> ImportError {
    let text = format!("{length} bytes from {address:#x} pass the end of the address space");
    ImportError::Line { line, text }
}

/// `length` bytes from `address` on. The memory begins with the page that the region begins in.
fn region(address: Option<u64>, length: u64, page: u64, notes: &mut Vec<String>) -> Region {
    let (va, offset) = match address {
        Some(address) => {
            let offset = address % page.max(1);
            (VirtAddr::new(address - offset), offset)
        }
        None => {
            notes.push("The address is not in the text: the region is taken to begin at a boundary of every page size. If you know it, that is --va, or `va` in the scenario.".into());
            (crate::scenario::DEFAULT_VA, 0)
        }
    };
    Region {
        va,
        offset: Bytes(offset),
        length: Bytes(length),
        hca_address: None,
    }
}

/// The memory of a region, by the mapping that it begins in; with where the region ends.
fn area(
    backing: Option<Backing>,
    mapping: Option<(&Mapping, u64)>,
    notes: &mut Vec<String>,
) -> AreaSpec {
    let mut area = AreaSpec {
        backing: backing.unwrap_or_default(),
        ..AreaSpec::default()
    };
    if let Some((mapping, end)) = mapping {
        area.shared = Some(mapping.is_shared());
        area.protection = mapping.protection();
        if end > mapping.end {
            notes.push(format!(
                "The region reaches beyond its mapping, which ends at {:#x}: what lies behind is taken to be alike.",
                mapping.end
            ));
        }
    }
    area
}

/// The pages behind a mapping.
fn pages_of(mapping: &Mapping, notes: &mut Vec<String>) -> u64 {
    let page = mapping.page.unwrap_or(PAGE);
    let length = mapping.length();
    match mapping.transparent {
        0 => page,
        huge if huge >= length => {
            notes.push(
                "The mapping is in transparent huge pages throughout; they are taken to be of 2M."
                    .into(),
            );
            TRANSPARENT
        }
        huge => {
            notes.push(format!(
                "{} of the mapping's {} are in transparent huge pages. Which ones is not in smaps, so all of it is taken as pages of 4K: \
                 `umem capture` records which.",
                Bytes(huge),
                Bytes(length)
            ));
            page
        }
    }
}

/// The flags of `ibv_reg_mr()`.
pub(super) fn flags(bits: u64, notes: &mut Vec<String>) -> Vec<Access> {
    const FLAGS: [(u64, Access); 11] = [
        (1, Access::LocalWrite),
        (1 << 1, Access::RemoteWrite),
        (1 << 2, Access::RemoteRead),
        (1 << 3, Access::RemoteAtomic),
        (1 << 4, Access::MwBind),
        (1 << 5, Access::ZeroBased),
        (1 << 6, Access::OnDemand),
        (1 << 7, Access::Hugetlb),
        (1 << 8, Access::FlushGlobal),
        (1 << 9, Access::FlushPersistent),
        (1 << 20, Access::RelaxedOrdering),
    ];
    let known = FLAGS.iter().fold(0, |all, (bit, _)| all | bit);
    if bits & !known != 0 {
        notes.push(format!(
            "The access flags {:#x} are not known here, and left out.",
            bits & !known
        ));
    }
    let set = FLAGS.iter().filter(|(bit, _)| bits & bit != 0);
    set.map(|(_, access)| *access).collect()
}

/// Equal regions once, with their count: regions of one size count as equal if they begin at the same offset in their page.
pub(super) fn alike(members: Vec<Member>) -> Vec<Member> {
    let mut list: Vec<Member> = Vec::new();
    for member in members {
        let same = |known: &&mut Member| {
            known.region.length == member.region.length
                && known.region.offset == member.region.offset
                && known.memory == member.memory
        };
        match list.last_mut().filter(|known| same(known)) {
            Some(known) => known.count += 1,
            None => list.push(member),
        }
    }
    list
}
