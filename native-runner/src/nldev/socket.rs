//! A question by netlink, and every message of its answer.

use std::{
    io,
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use netlink_packet_core::{DefaultNla, Emitable, NLM_F_DUMP, NLM_F_REQUEST, NetlinkBuffer};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    net::{
        AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind,
        netlink::{self, SocketAddrNetlink},
        recv, sendto, socket_with,
    },
};

use super::{
    attribute::{CLIENT, Command, DEV_INDEX, REGION_NUMBER},
    malformed,
};

/// `NLMSG_HDRLEN`.
const NETLINK_HEADER_LEN: usize = 16;
/// `NLMSG_NOOP`, `NLMSG_ERROR`, `NLMSG_DONE`.
const NOOP: u16 = 1;
const ERROR: u16 = 2;
const DONE: u16 = 3;

/// Longer than the kernel makes a message of a dump.
const LONGEST: usize = 64 << 10;
/// More than the answer about a million regions. A kernel that goes on and on is not one.
const MOST: usize = 512 << 20;
/// A driver that asks its firmware takes its time.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    command: Command,
    attributes: Vec<DefaultNla>,
    is_dump: bool,
}

impl Question {
    /// All of a kind; of the device `index`, where the kind is a device's.
    pub fn all(command: Command, index: Option<u32>) -> Self {
        let index = index.map(|index| attribute(DEV_INDEX, index));
        Self {
            command,
            attributes: index.into_iter().collect(),
            is_dump: true,
        }
    }

    /// The region `number` of the device `index`.
    pub fn one(command: Command, index: u32, number: u32) -> Self {
        Self {
            command,
            attributes: vec![
                attribute(DEV_INDEX, index),
                attribute(REGION_NUMBER, number),
            ],
            is_dump: false,
        }
    }

    /// As the bytes of message number `sequence`.
    pub(super) fn message(&self, sequence: u32) -> Vec<u8> {
        let attributes = self.attributes.as_slice();
        let length = NETLINK_HEADER_LEN + attributes.buffer_len();
        let mut bytes = vec![0; length];
        let mut message = NetlinkBuffer::new(&mut bytes);
        message.set_length(length as u32);
        message.set_message_type(CLIENT | self.command as u16);
        message.set_flags(match self.is_dump {
            true => NLM_F_REQUEST | NLM_F_DUMP,
            false => NLM_F_REQUEST,
        });
        message.set_sequence_number(sequence);
        attributes.emit(message.payload_mut());
        bytes
    }
}

fn attribute(kind: u16, value: u32) -> DefaultNla {
    DefaultNla::new(kind, value.to_ne_bytes().to_vec())
}

/// A socket of `NETLINK_RDMA`.
#[derive(Debug)]
pub struct Socket {
    socket: OwnedFd,
    sequence: u32,
}

impl Socket {
    /// Opens one.
    pub fn open() -> io::Result<Self> {
        let socket = socket_with(
            AddressFamily::NETLINK,
            SocketType::RAW,
            SocketFlags::CLOEXEC,
            Some(netlink::RDMA),
        )?;
        bind(&socket, &SocketAddrNetlink::new(0, 0))?;
        Ok(Self {
            socket,
            sequence: 0,
        })
    }

    /// Asks, and waits for the whole answer: what its messages say, without their headers.
    pub fn ask(&mut self, question: &Question) -> io::Result<Vec<Vec<u8>>> {
        self.sequence = self.sequence.wrapping_add(1);
        let message = question.message(self.sequence);
        let kernel = SocketAddrNetlink::new(0, 0);
        sendto(&self.socket, &message, SendFlags::empty(), &kernel)?;
        let mut answer = Answer::new(self.sequence);
        let end = Instant::now() + PATIENCE;
        let mut bytes = vec![0; LONGEST];
        loop {
            self.wait(end)?;
            let (_, length) = recv(&self.socket, bytes.as_mut_slice(), RecvFlags::TRUNC)?;
            let whole = bytes
                .get(..length)
                .ok_or_else(|| malformed(format_args!("a message of {length} bytes")))?;
            if answer.add(whole, question.is_dump)? {
                return Ok(answer.messages);
            }
        }
    }

    fn wait(&self, end: Instant) -> io::Result<()> {
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).map_err(io::Error::other)?;
            let mut ready = [PollFd::new(&self.socket, PollFlags::IN)];
            match poll(&mut ready, Some(&left)) {
                Ok(0) => return Err(Errno::TIMEDOUT.into()),
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// An answer as it comes.
#[derive(Debug)]
pub(super) struct Answer {
    sequence: u32,
    bytes: usize,
    /// What its messages say.
    pub(super) messages: Vec<Vec<u8>>,
}

impl Answer {
    pub(super) fn new(sequence: u32) -> Self {
        Self {
            sequence,
            bytes: 0,
            messages: Vec::new(),
        }
    }

    /// Takes what one datagram holds; whether that is the end.
    ///
    /// # Errors
    /// The kernel's, or that it is no answer.
    pub(super) fn add(&mut self, mut datagram: &[u8], is_dump: bool) -> io::Result<bool> {
        if datagram.is_empty() {
            return Err(malformed("an empty message"));
        }
        while !datagram.is_empty() {
            let message = NetlinkBuffer::new_checked(datagram).map_err(malformed)?;
            let length = message.length() as usize;
            let ours = message.sequence_number() == self.sequence;
            let kind = message.message_type();
            let payload = &datagram[NETLINK_HEADER_LEN..length];
            datagram = datagram.get(length.next_multiple_of(4)..).unwrap_or(&[]);
            match kind {
                // A late answer to an earlier question.
                _ if !ours => {}
                NOOP => {}
                ERROR | DONE => return status(payload, kind == ERROR).map(|()| true),
                _ => {
                    self.bytes += payload.len();
                    if self.bytes > MOST {
                        return Err(malformed("an answer without an end"));
                    }
                    self.messages.push(payload.to_vec());
                    if !is_dump {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }
}

/// The error number at the beginning of an end: 0, or a negative one. Very old kernels end without one.
fn status(payload: &[u8], must: bool) -> io::Result<()> {
    let Some(bytes) = payload.first_chunk() else {
        return match must {
            true => Err(malformed("an error without a number")),
            false => Ok(()),
        };
    };
    match i32::from_ne_bytes(*bytes) {
        0 => Ok(()),
        number => Err(io::Error::from_raw_os_error(number.saturating_neg())),
    }
}
