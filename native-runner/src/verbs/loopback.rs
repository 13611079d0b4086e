//! Two queue pairs of one device, connected to each other: bytes leave by one and come back by the
//! other, all through the device.

use std::{
    error::Error,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use sideway::ibverbs::{
    AccessFlags,
    completion::{BasicCompletionQueue, GenericCompletionQueue, PollCompletionQueueError},
    queue_pair::{
        BasicQueuePair, PostSendGuard, QueuePair, QueuePairAttribute, QueuePairState,
        SetScatterGatherEntry, WorkRequestFlags,
    },
};

use super::{Device, Registered, in_words, words};
use crate::nic::{Operation, Piece, TransferError};

/// How many requests may be under way at once.
const DEPTH: u32 = 64;

/// The longest message. rxe takes 8M (RXE_PORT_MAX_MSG_SZ), real devices 1G or more.
const LONGEST: u64 = 8 << 20;

/// How long a request waits for its answer before it is sent again, as the exponent of 4.096 µs · 2^n: a second. On the
/// way from a device to itself nothing gets lost, but a soft device on a busy machine may not get to run for long.
const ANSWER_TIMEOUT: u8 = 18;

/// How long to wait for the next completion. A request is sent again for about seven seconds (7 times) before the
/// device gives up by itself, so this is a device that hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// A reliable connection from a device to itself.
#[derive(Debug)]
pub struct Loopback {
    requester: BasicQueuePair,
    /// Answers without being asked to; it only has to be there.
    _responder: BasicQueuePair,
    completions: Arc<BasicCompletionQueue>,
}

impl Loopback {
    /// Makes two queue pairs and connects them.
    pub fn connect(device: &Device) -> Result<Self, Box<dyn Error>> {
        let completions = device
            .context
            .create_cq_builder()
            .setup_cqe(2 * DEPTH)
            .build()?;
        let queue = GenericCompletionQueue::from(Arc::clone(&completions));
        let queue_pair = || {
            let mut builder = device.domain.create_qp_builder();
            builder
                .setup_send_cq(queue.clone())
                .setup_recv_cq(queue.clone());
            builder
                .setup_max_send_wr(DEPTH)
                .setup_max_recv_wr(1)
                .build()
        };
        let (mut requester, mut responder) = (queue_pair()?, queue_pair()?);
        let numbers = (requester.qp_number(), responder.qp_number());
        bring_up(&mut requester, numbers.1, device)?;
        bring_up(&mut responder, numbers.0, device)?;
        Ok(Self {
            requester,
            _responder: responder,
            completions,
        })
    }

    /// Moves all pieces, and waits until they are moved.
    pub fn run(
        &mut self,
        operation: Operation,
        source: &Registered<'_>,
        sink: &Registered<'_>,
        pieces: &[Piece],
    ) -> Result<(), TransferError> {
        let mut messages = messages(pieces).peekable();
        let mut under_way = 0;
        let mut last_sign = Instant::now();
        while under_way > 0 || messages.peek().is_some() {
            let mut batch = self.requester.start_post_send();
            let mut posted = 0;
            while under_way + posted < DEPTH
                && let Some((index, message)) = messages.next()
            {
                let request = batch.construct_wr(index as u64, WorkRequestFlags::Signaled);
                let (from, to) = (source.address(message.from), sink.address(message.to));
                let (request, key, local) = match operation {
                    Operation::Write => (
                        request.setup_write(sink.remote_key, to),
                        source.region.local_key(),
                        from,
                    ),
                    Operation::Read => (
                        request.setup_read(source.remote_key, from),
                        sink.region.local_key(),
                        to,
                    ),
                };
                // SAFETY: the device reaches only memory that the key's region holds, and both
                // regions outlive this call; on every way out of it either nothing is under way
                // any more or the caller drops the queue pairs before the regions.
                unsafe { request.setup_sge(key, local, message.length as u32) };
                posted += 1;
            }
            if posted > 0 {
                batch
                    .post()
                    .map_err(|error| TransferError::Whole(in_words(&error)))?;
                under_way += posted;
            }
            match self.reap()? {
                0 if last_sign.elapsed() > PATIENCE => {
                    let reason = format!(
                        "no completion for {} s, {under_way} under way",
                        PATIENCE.as_secs()
                    );
                    return Err(TransferError::Whole(reason));
                }
                // A soft device needs this very CPU to do its work.
                0 => thread::yield_now(),
                done => {
                    under_way -= done;
                    last_sign = Instant::now();
                }
            }
        }
        Ok(())
    }

    /// Takes what completions there are: how many. An error names the request that failed first.
    fn reap(&self) -> Result<u32, TransferError> {
        let poller = match self.completions.start_poll() {
            Ok(poller) => poller,
            Err(PollCompletionQueueError::CompletionQueueEmpty) => return Ok(0),
            Err(error) => return Err(TransferError::Whole(in_words(&error))),
        };
        let mut done = 0;
        for completion in poller {
            if let Some(reason) = words::failure(completion.status()) {
                // A reliable connection completes in order: the first failure is the cause, what follows is flushed.
                return Err(TransferError::Piece {
                    index: completion.wr_id() as usize,
                    refusal: words::refusal(completion.status()),
                    reason,
                });
            }
            done += 1;
        }
        Ok(done)
    }
}

/// The pieces as messages, each with the index of its piece. Only pieces above [`LONGEST`] take
/// more than one.
fn messages(pieces: &[Piece]) -> impl Iterator<Item = (usize, Piece)> + '_ {
    pieces.iter().enumerate().flat_map(|(index, piece)| {
        (0..piece.length).step_by(LONGEST as usize).map(move |at| {
            let length = LONGEST.min(piece.length - at);
            (
                index,
                Piece {
                    from: piece.from + at,
                    to: piece.to + at,
                    length,
                },
            )
        })
    })
}

/// From RESET to RTS, connected to queue pair number `peer` of the same device.
fn bring_up(
    queue_pair: &mut BasicQueuePair,
    peer: u32,
    device: &Device,
) -> Result<(), Box<dyn Error>> {
    // Where both ends begin to count packets: any number serves, as long as they agree.
    const FIRST_PACKET: u32 = 0x5eed;

    let mut init = QueuePairAttribute::new();
    init.setup_state(QueuePairState::Init)
        .setup_pkey_index(0)
        .setup_port(device.port.number)
        .setup_access_flags(
            AccessFlags::LocalWrite | AccessFlags::RemoteWrite | AccessFlags::RemoteRead,
        );
    queue_pair.modify(&init)?;

    let mut receive = QueuePairAttribute::new();
    receive
        .setup_state(QueuePairState::ReadyToReceive)
        .setup_path_mtu(device.port.mtu)
        .setup_dest_qp_num(peer)
        .setup_rq_psn(FIRST_PACKET)
        .setup_max_dest_read_atomic(device.reads)
        .setup_min_rnr_timer(12)
        .setup_address_vector(&device.port.loopback_route());
    queue_pair.modify(&receive)?;

    let mut send = QueuePairAttribute::new();
    send.setup_state(QueuePairState::ReadyToSend)
        .setup_sq_psn(FIRST_PACKET)
        .setup_timeout(ANSWER_TIMEOUT)
        .setup_retry_cnt(7)
        .setup_rnr_retry(7)
        .setup_max_read_atomic(device.reads);
    queue_pair.modify(&send)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_one_message_unless_it_is_too_long() {
        let short = Piece {
            from: 4096,
            to: 69632,
            length: LONGEST,
        };
        let long = Piece {
            from: 0,
            to: 65536,
            length: 2 * LONGEST + 5,
        };
        let sent: Vec<_> = messages(&[short, long]).collect();
        assert_eq!(sent.len(), 4);
        assert_eq!(sent[0], (0, short));
        assert_eq!(
            sent[1],
            (
                1,
                Piece {
                    length: LONGEST,
                    ..long
                }
            )
        );
        assert_eq!(
            sent[3],
            (
                1,
                Piece {
                    from: 2 * LONGEST,
                    to: 65536 + 2 * LONGEST,
                    length: 5
                }
            )
        );
    }
}
