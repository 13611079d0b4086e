//! A line of a log: what libraries print about a registration.
//!
//! The words are few, and each library has some of them: `address=`, `addr`, `length=`, `length`, `len`, `size`, `MR of N bytes`,
//! `0x…..0x…`; then the text of the errno, or its number in brackets.

use super::{
    device::driver,
    error::ImportError,
    found::{Found, Read},
};
use crate::gate::Errno;
use alloc::{borrow::ToOwned, format, string::String};

/// Longer lines are cut: no log prints them.
const LONGEST: usize = 1 << 14;

/// The texts of glibc's `strerror()`.
const TEXTS: [(&str, Errno); 14] = [
    ("Operation not permitted", Errno::Eperm),
    ("Interrupted system call", Errno::Eintr),
    ("Input/output error", Errno::Eio),
    ("Bad file descriptor", Errno::Ebadf),
    ("Resource temporarily unavailable", Errno::Eagain),
    ("Cannot allocate memory", Errno::Enomem),
    ("Bad address", Errno::Efault),
    ("Invalid argument", Errno::Einval),
    ("Numerical result out of range", Errno::Erange),
    ("Timer expired", Errno::Etime),
    ("Operation not supported", Errno::Eopnotsupp),
    ("No buffer space available", Errno::Enobufs),
    ("Connection timed out", Errno::Etimedout),
    ("Remote I/O error", Errno::Eremoteio),
];

/// Words of a line about registering memory.
const REGISTERS: [&str; 5] = [
    "reg_mr",
    "reg_dmabuf_mr",
    "mr_reg",
    "register",
    "registration",
];
/// What stands before an address.
const ADDRESS: [&str; 7] = [
    "address=",
    "addr=",
    "address ",
    "addr ",
    "addr: ",
    "address: ",
    "memory 0x",
];
/// What stands before a length.
const LENGTH: [&str; 11] = [
    "length=", "length ", "length: ", "len=", "len ", "len: ", "size=", "size ", "size: ",
    "bytes=", "mr of ",
];

/// Reads a line.
pub(super) fn take(read: &mut Read, number: usize, line: &str) -> Result<(), ImportError> {
    let line = match line.char_indices().nth(LONGEST) {
        Some((end, _)) => &line[..end],
        None => line,
    };
    let lower = line.to_ascii_lowercase();
    if let Some(device) = device(line) {
        read.device.get_or_insert(device);
    }
    if lower.contains("create_mkey") {
        read.firmware = read.firmware.take().or_else(|| status(line));
    }
    let speaks = REGISTERS.iter().any(|word| lower.contains(word));
    if !speaks {
        return Ok(());
    }
    read.mentioned = true;
    let dma_buf = lower.contains("dmabuf") || lower.contains("dma-buf");
    read.dma_buf |= dma_buf;
    if let Some(kilobytes) = after(&lower, &["current: "]).filter(|_| lower.contains("kbytes")) {
        read.memlock = decimal(kilobytes).and_then(|kilobytes| kilobytes.checked_mul(1024));
    }
    let errno = errno(line);
    let range = range(line);
    let address = after(&lower, &ADDRESS);
    let (counted, placed) = counted(&lower).unzip();
    let address = match range {
        Some((start, _)) => Some(start),
        None => address.or(placed).and_then(hexadecimal),
    };
    let length = match range {
        Some((start, end)) if end <= start => {
            return Err(ImportError::Line {
                line: number,
                text: format!("the range {start:#x}..{end:#x} ends before it begins"),
            });
        }
        Some((start, end)) => Some(end - start),
        None => after(&lower, &LENGTH).or(counted).and_then(integer),
    };
    if address.is_none() && length.is_none() {
        read.errno = read.errno.or(errno);
        return Ok(());
    }
    read.found.push(Found {
        line: number,
        address,
        length,
        access: after(&lower, &["access=", "access "]).and_then(hexadecimal),
        errno,
        device: device(line),
        dma_buf,
    });
    Ok(())
}

/// What stands after the first of `words` that a number follows.
fn after<'a>(text: &'a str, words: &[&str]) -> Option<&'a str> {
    words.iter().find_map(|word| {
        let mut matches = text.match_indices(word);
        matches.find_map(|(at, _)| {
            // Not within a longer word, such as "strlen=".
            let before = text[..at].chars().next_back();
            let whole =
                !before.is_some_and(|letter| letter.is_ascii_alphanumeric() || letter == '_');
            // "memory 0x…": the number is a part of what was looked for.
            let rest = &text[at + word.len() - if word.ends_with("0x") { 2 } else { 0 }..];
            (whole && rest.starts_with(|letter: char| letter.is_ascii_digit())).then_some(rest)
        })
    })
}

/// "10485760 bytes at 0x400026200000": the number, and where it is.
fn counted(text: &str) -> Option<(&str, &str)> {
    let (before, behind) = text.split_once(" bytes at 0x")?;
    let number = before.rsplit(' ').next()?;
    let place = &text[text.len() - behind.len() - 2..];
    number
        .starts_with(|letter: char| letter.is_ascii_digit())
        .then_some((number, place))
}

/// "limits exceeded(0x8), syndrome (0x59c8a4)", as mlx5 prints what its firmware answered.
fn status(line: &str) -> Option<String> {
    let (_, status) = line.split_once("status ")?;
    Some(status.trim().chars().take(80).collect())
}

fn digits(text: &str, radix: u32) -> &str {
    let end = text.find(|letter: char| !letter.is_digit(radix));
    &text[..end.unwrap_or(text.len())]
}

fn decimal(text: &str) -> Option<u64> {
    digits(text, 10).parse().ok()
}

/// "0x…", in any case.
fn hexadecimal(text: &str) -> Option<u64> {
    let text = text.strip_prefix("0x")?;
    u64::from_str_radix(digits(text, 16), 16).ok()
}

fn integer(text: &str) -> Option<u64> {
    match text.starts_with("0x") {
        true => hexadecimal(text),
        false => decimal(text),
    }
}

/// "0x7f56f0f20ba0..0x7f56f12750e0", as UCX prints what it registered.
fn range(line: &str) -> Option<(u64, u64)> {
    let (before, behind) = line.split_once("..0x")?;
    let start = before
        .rsplit(|letter: char| !letter.is_ascii_alphanumeric())
        .next()?;
    let end = u64::from_str_radix(digits(behind, 16), 16).ok()?;
    Some((hexadecimal(start)?, end))
}

fn errno(line: &str) -> Option<Errno> {
    let text = TEXTS.iter().find(|(text, _)| line.contains(text));
    let by_number = || {
        let (_, behind) = line.rsplit_once(['[', '('])?;
        let (number, _) = behind.split_once([']', ')'])?;
        Errno::find(number.trim())
    };
    let by_name = || {
        Errno::ALL
            .into_iter()
            .find(|errno| line.contains(errno.name()))
    };
    text.map(|(_, errno)| *errno)
        .or_else(by_number)
        .or_else(by_name)
}

/// An RDMA device as the kernel names it, or a provider of libfabric.
fn device(line: &str) -> Option<String> {
    let words = line.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    let mut named = words.filter(|word| driver(word).is_some());
    named.next_back().map(ToOwned::to_owned)
}
