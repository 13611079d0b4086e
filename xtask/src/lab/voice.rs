//! What a guest says. Of machines that run at once one speaks, and the others' words wait for their turn.

use super::words::{harmless, unfinished};
use std::io::{self, IsTerminal, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// One of a program's two outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Out,
    Err,
}

impl Stream {
    /// Byte by byte into files and pipes. To a terminal as text: the guest must not steer it.
    fn write(self, bytes: &[u8]) -> io::Result<()> {
        fn all(mut to: impl Write + IsTerminal, bytes: &[u8]) -> io::Result<()> {
            match to.is_terminal() {
                true => to.write_all(harmless(&String::from_utf8_lossy(bytes)).as_bytes())?,
                false => to.write_all(bytes)?,
            }
            to.flush()
        }
        match self {
            Stream::Out => all(io::stdout(), bytes),
            Stream::Err => all(io::stderr(), bytes),
        }
    }
}

/// A guest's voice: silent at first.
#[derive(Clone, Default)]
pub struct Voice(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    live: bool,
    kept: Vec<(Stream, Vec<u8>)>,
    /// How many bytes are kept, and how many were not.
    length: usize,
    lost: usize,
}

/// So much is kept of a guest that has to wait. `umem check --full` says a tenth of it.
const MOST: usize = 16 << 20;

impl Voice {
    /// Says what was kept, and from now on everything as it comes.
    pub fn go_live(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.live = true;
        for (stream, bytes) in state.kept.drain(..) {
            // Nobody listens any more: the verdict is the exit code.
            let _ = stream.write(&bytes);
        }
        if state.lost > 0 {
            eprintln!("(it said {} bytes more while it had to wait)", state.lost);
        }
    }

    fn say(&self, stream: Stream, bytes: &[u8]) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.live {
            let _ = stream.write(bytes);
        } else if state.length + bytes.len() > MOST {
            state.lost += bytes.len();
        } else {
            state.length += bytes.len();
            state.kept.push((stream, bytes.to_owned()));
        }
    }

    /// Says everything that comes from `from`, as it comes.
    pub fn pass_on(
        &self,
        mut from: impl Read + Send + 'static,
        stream: Stream,
    ) -> thread::JoinHandle<()> {
        let voice = self.clone();
        thread::spawn(move || {
            let (mut buffer, mut text) = ([0; 4096], Vec::new());
            while let Ok(count @ 1..) = from.read(&mut buffer) {
                text.extend_from_slice(&buffer[..count]);
                // Whole characters, as a terminal wants them.
                let whole = text.len() - unfinished(&text);
                voice.say(stream, &text[..whole]);
                text.drain(..whole);
            }
            voice.say(stream, &text);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST, Stream, Voice};
    use std::io::{self, Read};

    #[test]
    fn a_silent_voice_keeps_its_words_in_order() {
        let voice = Voice::default();
        voice.say(Stream::Out, b"one");
        voice.say(Stream::Err, b"two");
        let kept = std::mem::take(&mut voice.0.lock().unwrap().kept);
        assert_eq!(
            kept,
            [
                (Stream::Out, b"one".to_vec()),
                (Stream::Err, b"two".to_vec())
            ]
        );
        voice.go_live();
        voice.say(Stream::Err, b"");
        assert!(voice.0.lock().unwrap().kept.is_empty());
    }

    #[test]
    fn a_guest_that_never_stops_does_not_fill_memory() {
        let voice = Voice::default();
        let much = vec![b'x'; MOST / 2];
        for _ in 0..5 {
            voice.say(Stream::Out, &much);
        }
        let state = voice.0.lock().unwrap();
        let kept: usize = state.kept.iter().map(|(_, bytes)| bytes.len()).sum();
        assert_eq!((kept, state.lost), (MOST, 3 * (MOST / 2)));
    }

    #[test]
    fn every_byte_is_passed_on_whole_characters_at_a_time() {
        /// Gives one byte at a time.
        struct Slow(Vec<u8>);
        impl Read for Slow {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                self.0.pop().map_or(Ok(0), |byte| {
                    buffer[0] = byte;
                    Ok(1)
                })
            }
        }
        let said = "a×\u{2502}"
            .bytes()
            .chain([0xff, 0xe2])
            .collect::<Vec<u8>>();
        let voice = Voice::default();
        let slow = Slow(said.iter().copied().rev().collect());
        voice.pass_on(slow, Stream::Out).join().unwrap();
        let kept = std::mem::take(&mut voice.0.lock().unwrap().kept);
        let pieces: Vec<_> = kept.into_iter().map(|(_, bytes)| bytes).collect();
        assert_eq!(pieces.concat(), said);
        assert!(pieces.contains(&"×".as_bytes().to_vec()));
    }
}
