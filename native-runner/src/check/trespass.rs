//! What a device must refuse: bytes beyond a region, with a wrong key, without the right to them.
//!
//! Each trespass has memory on both sides of the regions, so that a device that lets it happen spoils or betrays
//! something that is looked at, instead of crashing.

use std::{io, ops::Range};

use serde::Serialize;

use super::verdict::Verdict;
use crate::{
    mapping::Mapping,
    nic::{Claim, Nic, Operation, Piece, Refusal, Rights, TransferError},
    pattern::Pattern,
};

/// What was found about one trespass.
#[derive(Clone, Debug, Serialize)]
pub struct TrespassReport {
    /// What was tried: "RDMA WRITE past the end of the sink".
    pub title: String,
    /// How the device must end it.
    pub expected: Refusal,
    /// How it did, if it refused at all.
    pub ended: Option<Refusal>,
    /// Whether it did, with both memories untouched.
    pub verdict: Verdict,
}

/// How much memory there is at each end, in bytes; the middle half is registered.
const LENGTH: u64 = 64 << 10;
const REGISTERED: Range<u64> = LENGTH / 4..3 * LENGTH / 4;

/// How many bytes are asked for: more than one packet of the smallest path.
const ASKED: u64 = 8 << 10;

const SOURCE: Pattern = Pattern::new(0x006f_776e_6572);
const SINK: Pattern = Pattern::new(0x0067_7565_7374);

/// A wrong request.
struct Trespass {
    what: &'static str,
    operation: Operation,
    /// Where the bytes are taken, and where they are put, from the beginning of each memory.
    from: u64,
    to: u64,
    /// What the two regions are registered for.
    rights: (Rights, Rights),
    /// Whether the other end is named by a wrong key.
    wrong_key: bool,
    expected: Refusal,
}

/// A request that is all right, to be spoilt in one place.
const RIGHT: Trespass = Trespass {
    what: "",
    operation: Operation::Write,
    from: REGISTERED.start,
    to: REGISTERED.start,
    rights: (Rights::All, Rights::All),
    wrong_key: false,
    expected: Refusal::RemoteAccess,
};

/// All but the last byte lie inside.
const PAST_THE_END: u64 = REGISTERED.end - ASKED + 1;
/// All but the first byte lie inside.
const BEFORE_THE_START: u64 = REGISTERED.start - 1;

use Operation::Read;
use Refusal::LocalProtection;

#[rustfmt::skip]
const TRESPASSES: [Trespass; 10] = [
    Trespass { what: "past the end of the sink", to: PAST_THE_END, ..RIGHT },
    Trespass { what: "before the start of the sink", to: BEFORE_THE_START, ..RIGHT },
    Trespass { what: "with a wrong key", wrong_key: true, ..RIGHT },
    Trespass { what: "into a region that may not be written", rights: (Rights::All, Rights::NotWritten), ..RIGHT },
    Trespass { what: "from past the end of the source", from: PAST_THE_END, expected: LocalProtection, ..RIGHT },
    Trespass { what: "past the end of the source", operation: Read, from: PAST_THE_END, ..RIGHT },
    Trespass { what: "before the start of the source", operation: Read, from: BEFORE_THE_START, ..RIGHT },
    Trespass { what: "with a wrong key", operation: Read, wrong_key: true, ..RIGHT },
    Trespass { what: "from a region that may not be read", operation: Read, rights: (Rights::NotRead, Rights::All), ..RIGHT },
    Trespass { what: "into a region that may not be written", operation: Read, rights: (Rights::All, Rights::NotWritten),
        expected: LocalProtection, ..RIGHT },
];

/// Tries every trespass on `nic`.
pub fn check<N: Nic>(nic: &N) -> io::Result<Vec<TrespassReport>> {
    let memory = || {
        let memory = Mapping::anonymous(LENGTH as usize, LENGTH as usize)?;
        memory.touch();
        Ok::<_, io::Error>(memory)
    };
    let (source, sink) = (memory()?, memory()?);
    TRESPASSES
        .iter()
        .map(|trespass| {
            let (ended, held) = attempt(nic, trespass, &source, &sink)?;
            Ok(TrespassReport {
                title: format!("{} {}", trespass.operation, trespass.what),
                expected: trespass.expected,
                ended,
                verdict: held.into(),
            })
        })
        .collect()
}

/// Tries one: how the device refused, and whether that is as it must be. The inner error says in words what is not.
fn attempt<N: Nic>(
    nic: &N,
    trespass: &Trespass,
    source: &Mapping,
    sink: &Mapping,
) -> io::Result<(Option<Refusal>, Result<(), String>)> {
    SOURCE.fill(source.words());
    SINK.fill(sink.words());
    let register = |memory, rights| {
        let claim = Claim {
            rights,
            ..Claim::all(REGISTERED)
        };
        nic.register(memory, claim)
    };
    let mut from = register(source, trespass.rights.0)?;
    let mut to = register(sink, trespass.rights.1)?;
    if trespass.wrong_key {
        match trespass.operation {
            Operation::Write => to = nic.with_wrong_key(&to),
            Read => from = nic.with_wrong_key(&from),
        }
    }
    let piece = Piece {
        from: trespass.from,
        to: trespass.to,
        length: ASKED,
    };
    let ended = nic.transfer(trespass.operation, &from, &to, &[piece]);
    let refusal = match &ended {
        Err(TransferError::Piece { refusal, .. }) => *refusal,
        _ => None,
    };
    let held = refused(ended, trespass.expected).and_then(|()| {
        unchanged("source", source, SOURCE, |_| true)?;
        // The device's own end is asked packet by packet: those before the wrong one may have arrived.
        let may_have_begun =
            trespass.expected == LocalProtection && trespass.operation == Operation::Write;
        unchanged("sink", sink, SINK, |part| {
            !may_have_begun || *part != REGISTERED
        })
    });
    Ok((refusal, held))
}

/// Whether it ended as it must. A fault of the asking end may also take the queue down and flush the very request: rxe
/// does so in Linux 6.12 (`rxe_qp_error()` in `rxe_requester()`), where 6.1 names the fault.
fn refused(ended: Result<(), TransferError>, expected: Refusal) -> Result<(), String> {
    match ended {
        Ok(()) => Err("the device did it".to_owned()),
        Err(TransferError::Piece {
            refusal: Some(refusal),
            ..
        }) if refusal == expected || (expected, refusal) == (LocalProtection, Refusal::Flushed) => {
            Ok(())
        }
        Err(error) => Err(format!("not a {expected}, but {error}")),
    }
}

/// What lies before the region, the region, and what lies behind it.
const PARTS: [Range<u64>; 3] = [0..REGISTERED.start, REGISTERED, REGISTERED.end..LENGTH];

/// Whether the [`PARTS`] of `memory` that `must` still hold its pattern do.
fn unchanged(
    name: &str,
    memory: &Mapping,
    pattern: Pattern,
    must: impl Fn(&Range<u64>) -> bool,
) -> Result<(), String> {
    let changed = PARTS
        .into_iter()
        .filter(must)
        .find_map(|part| pattern.first_difference(memory.words(), part));
    changed.map_or(Ok(()), |at| {
        Err(format!(
            "it was refused, but byte {at} of the {name} changed, where bytes {REGISTERED:?} are registered"
        ))
    })
}
