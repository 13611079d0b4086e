//! The cases: a call each, and what it is made on.

use std::io;

use rustix::mm::ProtFlags;
use umem_core::{
    device::Access,
    scenario::{AreaSpec, Backing, Protection},
    size::Bytes,
};

use super::{Attempt, memory, process};
use crate::pagemap::kernel_page;

/// Makes the memory, and puts this process into the state that is asked about. It is given the device's name.
type Prepare = fn(&str) -> io::Result<Attempt>;

/// A registration that is tried.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Its name.
    pub name: &'static str,
    /// What its process has in its environment.
    pub environment: &'static [&'static str],
    pub(super) prepare: Prepare,
}

const fn case(name: &'static str, prepare: Prepare) -> Case {
    Case {
        name,
        environment: &[],
        prepare,
    }
}

/// The same with libibverbs' fork support.
const fn forking(name: &'static str, prepare: Prepare) -> Case {
    Case {
        environment: &["RDMAV_FORK_SAFE"],
        ..case(name, prepare)
    }
}

/// All of them.
pub const CASES: &[Case] = &[
    case("ordinary", |_| Ok(of(memory::plain(64 << 10)?, 64 << 10))),
    case("empty", |_| Ok(of(memory::plain(page())?, 0))),
    case("wraps", |_| Ok(of(memory::plain(page())?, u64::MAX))),
    case("kernel-address", |_| Ok(nothing_at(0xffff_8880_0000_0000))),
    case("null", |_| Ok(nothing_at(0))),
    case("iova-offset", |_| {
        let attempt = of(memory::plain(page())?, 4096);
        Ok(Attempt {
            hca: attempt.hca + 8,
            ..attempt
        })
    }),
    case("remote-write-without-local-write", |_| {
        with(&[Access::RemoteWrite])
    }),
    case("remote-atomic-without-local-write", |_| {
        with(&[Access::RemoteAtomic])
    }),
    case("flush-global", |_| {
        with(&[Access::LocalWrite, Access::FlushGlobal])
    }),
    case("flush-persistent", |_| {
        with(&[Access::LocalWrite, Access::FlushPersistent])
    }),
    case("zero-based", |_| {
        with(&[Access::LocalWrite, Access::ZeroBased])
    }),
    case("hugetlb-flag", |_| {
        with(&[Access::LocalWrite, Access::Hugetlb])
    }),
    case("on-demand", |_| {
        with(&[Access::LocalWrite, Access::OnDemand])
    }),
    case("relaxed-ordering", |_| {
        with(&[Access::LocalWrite, Access::RelaxedOrdering])
    }),
    case("limit-0", |_| limited(0, 0, 4096)),
    case("limit-below-a-page", |_| limited(4095, 0, 4096)),
    case("limit-reached", |_| limited(64 << 10, 0, 64 << 10)),
    case("limit-exceeded", |_| limited(64 << 10, 0, 68 << 10)),
    case("limit-exceeded-by-the-first-page", |_| {
        limited(64 << 10, 0x800, 64 << 10)
    }),
    case("limit-0-and-a-wrapping-range", |_| {
        let attempt = limited(0, 0, 4096)?;
        Ok(Attempt {
            length: u64::MAX,
            ..attempt
        })
    }),
    case("rdma-control-group", |device| {
        let attempt = with(&[Access::LocalWrite])?;
        // The protection domain takes it.
        process::allow_objects(device, 1)?;
        Ok(attempt)
    }),
    case("hole", |_| {
        let page = page();
        Ok(with_hole(memory::with_a_hole(page)?, page as u64))
    }),
    case("beyond-the-end-of-the-file", |_| {
        let page = page();
        let start = memory::file(page as u64, 2 * page, ProtFlags::READ | ProtFlags::WRITE)?;
        let mut attempt = of(start, 2 * page as u64);
        attempt.areas = vec![
            area(0, page, Backing::Shmem, Protection::ReadWrite),
            area(page, page, Backing::BeyondEnd, Protection::ReadWrite),
        ];
        Ok(attempt)
    }),
    case("no-rights-read", |_| {
        rights(ProtFlags::empty(), Protection::None, &[])
    }),
    case("read-only-written", |_| {
        rights(ProtFlags::READ, Protection::Read, &[Access::LocalWrite])
    }),
    case("read-only-bound", |_| {
        rights(ProtFlags::READ, Protection::Read, &[Access::MwBind])
    }),
    case("read-only-read", |_| {
        rights(ProtFlags::READ, Protection::Read, &[Access::RemoteRead])
    }),
    case("write-only", |_| {
        rights(ProtFlags::WRITE, Protection::Write, &[Access::LocalWrite])
    }),
    case("read-only-shared-read", |_| {
        let page = page();
        let mut attempt = of(
            memory::file(page as u64, page, ProtFlags::READ)?,
            page as u64,
        );
        attempt.access = vec![];
        attempt.areas = vec![area(0, page, Backing::Shmem, Protection::Read)];
        Ok(attempt)
    }),
    case("file-in-memory", |_| {
        let page = page();
        let start = memory::file(page as u64, page, ProtFlags::READ | ProtFlags::WRITE)?;
        Ok(backed(start, page, Backing::Shmem))
    }),
    case("file-on-ext4", |_| shared_file()),
    case("file-on-ext4-read", |_| {
        Ok(Attempt {
            access: vec![],
            ..shared_file()?
        })
    }),
    case("file-on-dax", |_| {
        Ok(backed(memory::fsdax(64 << 10)?, 64 << 10, Backing::Fsdax))
    }),
    case("registers-of-a-device", |_| {
        Ok(backed(memory::registers(page())?, page(), Backing::Pfnmap))
    }),
    case("secret", |_| {
        Ok(backed(memory::secret(page())?, page(), Backing::Secret))
    }),
    case("guard", |_| {
        Ok(backed(memory::guarded(page())?, page(), Backing::Guard))
    }),
    case("vvar", |_| {
        let mut attempt = backed(memory::vvar()?, page(), Backing::Vvar);
        attempt.areas[0].protection = Protection::Read;
        attempt.access = vec![];
        Ok(attempt)
    }),
    case("huge-page-cut", cut_huge_page),
    forking("fork-support", |_| with(&[Access::LocalWrite])),
    forking("fork-support-huge-page-cut", cut_huge_page),
    Case {
        environment: &["RDMAV_FORK_SAFE", "RDMAV_HUGEPAGES_SAFE"],
        ..case("fork-support-huge-pages-safe", cut_huge_page)
    },
    forking("fork-support-hole", |_| {
        let page = page();
        Ok(with_hole(memory::with_a_hole(page)?, page as u64))
    }),
    forking("fork-support-registers", |_| {
        Ok(backed(memory::registers(page())?, page(), Backing::Pfnmap))
    }),
];

fn page() -> usize {
    kernel_page().bytes() as usize
}

/// So much from `start`, for local writes.
fn of(start: u64, length: u64) -> Attempt {
    Attempt {
        base: kernel_page().align_down(start),
        start,
        length,
        hca: start,
        access: vec![Access::LocalWrite],
        areas: vec![],
    }
}

fn area(offset: usize, length: usize, backing: Backing, protection: Protection) -> AreaSpec {
    AreaSpec {
        offset: Bytes(offset as u64),
        length: Some(Bytes(length as u64)),
        backing,
        protection,
        ..AreaSpec::default()
    }
}

fn backed(start: u64, length: usize, backing: Backing) -> Attempt {
    Attempt {
        areas: vec![area(0, length, backing, Protection::ReadWrite)],
        ..of(start, length as u64)
    }
}

/// A file on ext4, mapped MAP_SHARED.
fn shared_file() -> io::Result<Attempt> {
    let mut attempt = backed(memory::ext4(64 << 10)?, 64 << 10, Backing::File);
    attempt.areas[0].shared = Some(true);
    Ok(attempt)
}

/// A page where nothing of ours is.
fn nothing_at(start: u64) -> Attempt {
    backed(start, page(), Backing::Hole)
}

fn with_hole(start: u64, page: u64) -> Attempt {
    let page = page as usize;
    Attempt {
        areas: vec![
            area(0, page, Backing::Anonymous, Protection::ReadWrite),
            area(page, page, Backing::Hole, Protection::ReadWrite),
            area(2 * page, page, Backing::Anonymous, Protection::ReadWrite),
        ],
        ..of(start, 3 * page as u64)
    }
}

/// Plain memory, registered with these flags.
fn with(access: &[Access]) -> io::Result<Attempt> {
    Ok(Attempt {
        access: access.to_vec(),
        ..of(memory::plain(page())?, page() as u64)
    })
}

/// Anonymous memory with these rights, registered with these flags.
fn rights(mapped: ProtFlags, protection: Protection, access: &[Access]) -> io::Result<Attempt> {
    let page = page();
    Ok(Attempt {
        access: access.to_vec(),
        areas: vec![area(0, page, Backing::Anonymous, protection)],
        ..of(memory::anonymous(page, mapped)?, page as u64)
    })
}

/// `length` bytes from `into` bytes within a page, by a process that may lock `limit` bytes.
fn limited(limit: u64, into: u64, length: u64) -> io::Result<Attempt> {
    let start = memory::plain(1 << 20)?;
    process::limit_locked_memory(limit)?;
    Ok(of(start + into, length))
}

/// All but the first page of two huge pages.
fn cut_huge_page(_: &str) -> io::Result<Attempt> {
    const WHOLE: usize = 4 << 20;
    let mut area = area(0, WHOLE, Backing::Hugetlb, Protection::ReadWrite);
    area.page_size = Some(Bytes(2 << 20));
    let (base, into) = (memory::huge_pages()?, page() as u64);
    Ok(Attempt {
        base,
        areas: vec![area],
        ..of(base + into, WHOLE as u64 - into)
    })
}
