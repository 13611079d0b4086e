//! The whole check without a device: with a `memcpy` in its place, and with devices that make
//! mistakes. It must hold with the first and see every mistake of the others.

use std::{io, ops::Range, rc::Rc, sync::atomic::Ordering::Relaxed};

use io_uring::IoUring;

use super::*;
use crate::{
    buffer::CATALOGUE,
    nic::{Operation, Piece, Refusal, TransferError},
};

/// A device that moves bytes by copying words, and may be a bad one.
#[derive(Clone, Copy, Debug)]
struct Copier(Flaw);

#[derive(Clone, Copy, PartialEq, Debug)]
enum Flaw {
    None,
    /// Cannot register anything.
    NoRegistration,
    /// Leaves the last piece out.
    Short,
    /// Moves the last piece to 8 bytes further on.
    Shifted,
    /// Moves 8 bytes more than the last piece has.
    Long,
    /// Writes into the source.
    Backwards,
    /// READs arrive in the wrong order.
    SwappedReads,
    /// Fails at piece 1.
    Fails,
    /// Lets everybody reach everything.
    AllowsAll,
}

#[derive(Clone)]
struct Copied<'m> {
    memory: &'m Mapping,
    claim: Claim,
    right_key: bool,
    /// Keeps the pages where they are, as a registration does: the kernel moves others when it is short of memory that lies together.
    _pinned: Option<Rc<IoUring>>,
}

/// A long-term pin of these bytes. None where io_uring is switched off, or a limit is in the way: pages seldom move.
fn pinned(memory: &Mapping, bytes: &Range<u64>) -> Option<Rc<IoUring>> {
    let ring = IoUring::new(1).ok()?;
    let buffer = libc::iovec {
        iov_base: (memory.start().get() + bytes.start) as *mut _,
        iov_len: (bytes.end - bytes.start) as usize,
    };
    // SAFETY: the memory outlives what is registered of it, whose borrow of it stands beside the ring; nothing is read or written by it.
    unsafe { ring.submitter().register_buffers(&[buffer]) }.ok()?;
    Some(Rc::new(ring))
}

impl Copied<'_> {
    /// Whether the region allows `bytes` to be read, or written.
    fn allows(&self, bytes: Range<u64>, forbidden: Rights) -> bool {
        let Range { start, end } = self.claim.range;
        start <= bytes.start && bytes.end <= end && self.claim.rights != forbidden
    }
}

/// What a device has to refuse of a piece.
fn refusal(
    operation: Operation,
    source: &Copied<'_>,
    sink: &Copied<'_>,
    piece: Piece,
) -> Option<Refusal> {
    let from = source.allows(piece.from..piece.from + piece.length, Rights::NotRead);
    let to = sink.allows(piece.to..piece.to + piece.length, Rights::NotWritten);
    let ((own, own_key), (other, other_key)) = match operation {
        Operation::Write => ((from, source.right_key), (to, sink.right_key)),
        Operation::Read => ((to, sink.right_key), (from, source.right_key)),
    };
    match (own && own_key, other && other_key) {
        (false, _) => Some(Refusal::LocalProtection),
        (true, false) => Some(Refusal::RemoteAccess),
        (true, true) => None,
    }
}

impl Nic for Copier {
    type Region<'m> = Copied<'m>;

    fn describe(&self) -> String {
        format!("{self:?}")
    }

    fn register<'m>(&'m self, memory: &'m Mapping, claim: Claim) -> io::Result<Copied<'m>> {
        match self.0 {
            Flaw::NoRegistration => Err(io::Error::from(Errno::NODEV)),
            _ => Ok(Copied {
                memory,
                _pinned: pinned(memory, &claim.range),
                claim,
                right_key: true,
            }),
        }
    }

    fn with_wrong_key<'m>(&'m self, region: &Copied<'m>) -> Copied<'m> {
        Copied {
            right_key: false,
            ..region.clone()
        }
    }

    fn transfer(
        &self,
        operation: Operation,
        source: &Copied<'_>,
        sink: &Copied<'_>,
        pieces: &[Piece],
    ) -> Result<(), TransferError> {
        for (index, piece) in pieces.iter().enumerate() {
            let refusal = refusal(operation, source, sink, *piece);
            if refusal.is_some() && self.0 != Flaw::AllowsAll {
                let reason = "refused".to_owned();
                return Err(TransferError::Piece {
                    index,
                    refusal,
                    reason,
                });
            }
        }
        let (source, sink) = (source.memory.words(), sink.memory.words());
        let copy = |piece: Piece| {
            let (from, to) = ((piece.from / 8) as usize, (piece.to / 8) as usize);
            let words = (piece.length / 8) as usize;
            for word in 0..words {
                sink[to + word].store(source[from + word].load(Relaxed), Relaxed);
            }
            // The bytes of half a word at the end.
            if !piece.length.is_multiple_of(8) {
                let mask = (1 << (8 * (piece.length % 8))) - 1;
                let bytes = source[from + words].load(Relaxed) & mask;
                let rest = sink[to + words].load(Relaxed) & !mask;
                sink[to + words].store(bytes | rest, Relaxed);
            }
        };
        let last = pieces[pieces.len() - 1];
        match self.0 {
            Flaw::Short => pieces[..pieces.len() - 1].iter().copied().for_each(copy),
            Flaw::SwappedReads if operation == Operation::Read => {
                let half = last.length / 2;
                pieces.iter().copied().for_each(copy);
                copy(Piece {
                    from: last.from + half,
                    length: half,
                    ..last
                });
            }
            Flaw::Fails => {
                pieces.iter().take(1).copied().for_each(copy);
                return Err(TransferError::Piece {
                    index: 1,
                    refusal: None,
                    reason: "it broke".to_owned(),
                });
            }
            _ => pieces.iter().copied().for_each(copy),
        }
        match self.0 {
            Flaw::Shifted => copy(Piece {
                to: last.to + 8,
                length: last.length - 8,
                ..last
            }),
            // The source ends with the region, so what is copied comes from its beginning.
            Flaw::Long => copy(Piece {
                from: 0,
                to: last.to + last.length,
                length: 8,
            }),
            Flaw::Backwards => source[0].store(1, Relaxed),
            _ => {}
        }
        Ok(())
    }
}

/// Runs the check with scattered pages alone, which every machine can make; `None` where this
/// user may not read frame numbers.
fn check(flaw: Flaw, options: Options) -> Option<Report> {
    let scattered: Vec<Recipe> = CATALOGUE
        .iter()
        .copied()
        .filter(|recipe| recipe.name == "scattered")
        .collect();
    let report = run(
        Ok(&Copier(flaw)),
        Err(Missing::probe()),
        &scattered,
        options,
        &mut |_| Ok(()),
    )
    .unwrap();
    if report.missing.contains(&Missing::frame_permission()) {
        crate::untested::without_rights(&Missing::frame_permission());
        return None;
    }
    Some(report)
}

#[test]
fn with_a_good_device_everything_holds_but_the_probe() {
    let Some(report) = check(Flaw::None, Options::default()) else {
        return;
    };
    // Four rows of two levels, ten trespasses; the probe.
    assert_eq!(
        (report.held, report.differed, report.skipped),
        (18, 0, 1),
        "{report:#?}"
    );
    let memory = report.buffers[0].memory.as_ref().unwrap();
    assert_eq!(u64::try_from(memory.runs), Ok(memory.pages));
    let whole = |row: &&Row| row.region.offset == 4096;
    assert!(
        report.buffers[0]
            .rows
            .iter()
            .filter(whole)
            .all(|row| row.total == memory.pages - 1)
    );
}

#[test]
fn every_flaw_is_seen_and_named() {
    for (flaw, words) in [
        (
            Flaw::Short,
            "RDMA WRITE: byte +0x3fe000 of the region, in entry 1022 of 4K, is wrong (40",
        ),
        (
            Flaw::Shifted,
            "RDMA WRITE: byte +0x3fe008 of the region, in entry 1022 of 4K, is wrong (40",
        ),
        (
            Flaw::Long,
            "RDMA WRITE: the guard 1 bytes after the region, is wrong (8",
        ),
        (Flaw::Backwards, "RDMA WRITE: the source changed at +0x0"),
        (
            Flaw::SwappedReads,
            "RDMA READ: byte +0x3fe000 of the region, in entry 1022 of 4K, is wrong (20",
        ),
        (Flaw::Fails, "RDMA WRITE: entry 1: it broke"),
    ] {
        let Some(report) = check(flaw, Options::default()) else {
            return;
        };
        assert_eq!(
            (report.held, report.differed, report.skipped),
            (
                4 + report.trespasses.len() - refused_wrongly(&report),
                4 + refused_wrongly(&report),
                1
            ),
            "{flaw:?}: {report:#?}"
        );
        for row in &report.buffers[0].rows[..3] {
            let Verdict::Differed(why) = &row.data else {
                panic!("{flaw:?}: {row:?}")
            };
            assert!(why.starts_with(words), "{flaw:?}: {why}");
        }
    }
}

/// The trespasses that a bad device does not refuse as it should, or that its flaw hides.
fn refused_wrongly(report: &Report) -> usize {
    let held = |trespass: &&TrespassReport| trespass.verdict == Verdict::Held;
    report.trespasses.len() - report.trespasses.iter().filter(held).count()
}

#[test]
fn a_device_that_refuses_nothing_is_seen() {
    let Some(report) = check(Flaw::AllowsAll, Options::default()) else {
        return;
    };
    assert_eq!(refused_wrongly(&report), report.trespasses.len());
    assert_eq!(report.differed, 10, "{report:#?}");
    let Verdict::Differed(why) = &report.trespasses[0].verdict else {
        panic!("{report:#?}")
    };
    assert_eq!(why, "the device did it");
}

#[test]
fn with_full_every_region_is_checked() {
    let options = Options {
        full: true,
        ..Options::default()
    };
    let Some(report) = check(Flaw::None, options) else {
        return;
    };
    assert_eq!(report.buffers[0].rows.len(), 16 * 3);
    assert_eq!(
        (report.held, report.differed),
        (16 * 3 * 2 + 10, 0),
        "{report:#?}"
    );
}

#[test]
fn a_spoilt_byte_is_seen() {
    let Some(report) = check(
        Flaw::None,
        Options {
            spoil_one_byte: true,
            ..Options::default()
        },
    ) else {
        return;
    };
    assert_eq!((report.held, report.differed), (14, 4));
    let Verdict::Differed(why) = &report.buffers[0].rows[0].data else {
        panic!("{report:#?}")
    };
    assert!(why.ends_with("is wrong (1 bytes in all)"), "{why}");
}

#[test]
fn without_a_device_the_frames_are_checked_all_the_same() {
    let missing = Missing::verbs();
    let report = run::<Copier>(
        Err(missing.clone()),
        Err(Missing::probe()),
        CATALOGUE,
        Options::default(),
        &mut |_| Ok(()),
    )
    .unwrap();
    assert_eq!(
        report.missing[0], missing,
        "what is missing for all comes first"
    );
    assert_eq!(report.buffers.len(), CATALOGUE.len());
    assert_eq!(report.differed, 0, "{report:#?}");
    let scattered = report
        .buffers
        .iter()
        .find(|buffer| buffer.name == "scattered")
        .unwrap();
    let may_read = !report.missing.contains(&Missing::frame_permission());
    assert_eq!(scattered.rows.len(), if may_read { 4 } else { 0 });
    assert!(
        scattered
            .rows
            .iter()
            .all(|row| row.frames == Verdict::Held && row.data != Verdict::Held)
    );
}

#[test]
fn without_registration_the_frames_are_checked_all_the_same() {
    let Some(report) = check(Flaw::NoRegistration, Options::default()) else {
        return;
    };
    assert_eq!(
        (report.held, report.differed, report.skipped),
        (4, 0, 5),
        "{report:#?}"
    );
    assert_eq!(report.missing.len(), 1);
    assert!(
        report.missing[0].what.contains("registration of memory"),
        "{:?}",
        report.missing
    );
}
