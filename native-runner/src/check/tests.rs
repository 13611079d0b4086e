//! The whole check without a device: with a `memcpy` in its place, and with devices that make
//! mistakes. It must hold with the first and see every mistake of the others.

use std::{io, ops::Range, sync::atomic::Ordering::Relaxed};

use super::*;
use crate::{
    buffer::CATALOGUE,
    nic::{Operation, Piece, TransferError},
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
}

struct Copied<'m>(&'m Mapping);

impl Nic for Copier {
    type Region<'m> = Copied<'m>;

    fn describe(&self) -> String {
        format!("{self:?}")
    }

    fn register<'m>(&'m self, memory: &'m Mapping, _: Range<u64>) -> io::Result<Copied<'m>> {
        match self.0 {
            Flaw::NoRegistration => Err(io::Error::from(rustix::io::Errno::NODEV)),
            _ => Ok(Copied(memory)),
        }
    }

    fn transfer(
        &self,
        operation: Operation,
        source: &Copied<'_>,
        sink: &Copied<'_>,
        pieces: &[Piece],
    ) -> Result<(), TransferError> {
        let (source, sink) = (source.0.words(), sink.0.words());
        let copy = |piece: Piece| {
            for word in 0..piece.length / 8 {
                let value = source[(piece.from / 8 + word) as usize].load(Relaxed);
                sink[(piece.to / 8 + word) as usize].store(value, Relaxed);
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
        eprintln!("skipped: {}", Missing::frame_permission());
        return None;
    }
    Some(report)
}

#[test]
fn with_a_good_device_everything_holds_but_the_probe() {
    let Some(report) = check(Flaw::None, Options::default()) else {
        return;
    };
    assert_eq!(
        (report.held, report.differed, report.skipped),
        (6, 0, 1),
        "{report:#?}"
    );
    let memory = report.buffers[0].memory.as_ref().unwrap();
    assert_eq!(u64::try_from(memory.runs), Ok(memory.pages));
    assert!(memory.registered);
    assert!(
        report.buffers[0]
            .policies
            .iter()
            .all(|row| row.total == memory.pages)
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
            (3, 3, 1),
            "{flaw:?}: {report:#?}"
        );
        for row in &report.buffers[0].policies {
            let Verdict::Differed(why) = &row.data else {
                panic!("{flaw:?}: {row:?}")
            };
            assert!(why.starts_with(words), "{flaw:?}: {why}");
        }
    }
}

#[test]
fn a_spoilt_byte_is_seen() {
    let Some(report) = check(
        Flaw::None,
        Options {
            spoil_one_byte: true,
        },
    ) else {
        return;
    };
    assert_eq!((report.held, report.differed), (3, 3));
    let Verdict::Differed(why) = &report.buffers[0].policies[0].data else {
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
    assert_eq!(scattered.policies.len(), if may_read { 3 } else { 0 });
    assert!(
        scattered
            .policies
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
        (3, 0, 4),
        "{report:#?}"
    );
    assert_eq!(report.missing.len(), 1);
    assert!(
        report.missing[0].what.contains("registration of memory"),
        "{:?}",
        report.missing
    );
}
