//! A recording, line by line: plain or compressed, and of neither more than a recording can be.
//!
//! A few bytes of .xz or .gz can stand for any number, and demand any amount of memory: a recording may come from anywhere.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use umem_core::size::Bytes;

/// The longest line: a list of 100,000 segments takes less.
const LONGEST_LINE: u64 = 16 << 20;

/// The most that a compressed file may hold: five million vectors.
const MOST: u64 = 4 << 30;

/// What unpacking .xz may take, in KiB: twice what `xz -9` asks for.
const XZ_MEMORY: u32 = 128 << 10;

/// The lines of a recording.
pub struct Lines {
    /// What it is called.
    name: String,
    file: Box<dyn BufRead>,
    /// How much more may come; `None` of a plain file, which is as long as it is.
    left: Option<u64>,
    number: u64,
}

impl Lines {
    /// Opens `path`; - is standard input.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let name = path.display().to_string();
        let (file, left): (Box<dyn BufRead>, _) = if path == Path::new("-") {
            (Box::new(BufReader::new(io::stdin())), None)
        } else {
            let file = File::open(path);
            let file = file.map_err(|error| anyhow::anyhow!("{name} cannot be read: {error}"))?;
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("gz") => (ungz(file), Some(MOST)),
                Some("xz") => (unxz(file), Some(MOST)),
                _ => (Box::new(BufReader::new(file)), None),
            }
        };
        Ok(Self {
            name,
            file,
            left,
            number: 0,
        })
    }

    /// Reads the next line into `line`; false after the last.
    pub fn read(&mut self, line: &mut String) -> anyhow::Result<bool> {
        self.number += 1;
        line.clear();
        let read = self.file.by_ref().take(LONGEST_LINE).read_line(line);
        // A file that is damaged is wrong input, not an inability of this machine.
        let read = read.map_err(|error| match error.kind() {
            io::ErrorKind::OutOfMemory => anyhow::anyhow!(
                "{}: unpacking it takes more than {} of memory; if it is to be trusted, unpack it first",
                self.place(),
                Bytes(u64::from(XZ_MEMORY) << 10)
            ),
            _ => anyhow::anyhow!("{}: cannot be read: {error}", self.place()),
        })? as u64;
        anyhow::ensure!(
            read < LONGEST_LINE,
            "{}: longer than {}, which no vector is",
            self.place(),
            Bytes(LONGEST_LINE)
        );
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(read).ok_or_else(|| {
                anyhow::anyhow!(
                    "{}:{}: it unpacks to more than {}, which no recording does; if it is to be trusted, unpack it first",
                    self.name,
                    self.number,
                    Bytes(MOST)
                )
            })?;
        }
        Ok(read > 0)
    }

    /// Where the line that was read last stands.
    pub fn place(&self) -> String {
        format!("{}:{}", self.name, self.number)
    }
}

fn ungz(file: impl Read + 'static) -> Box<dyn BufRead> {
    Box::new(BufReader::new(flate2::read::MultiGzDecoder::new(file)))
}

fn unxz(file: impl Read + 'static) -> Box<dyn BufRead> {
    let file = BufReader::new(file);
    let unpacked = lzma_rust2::XzReader::new_mem_limit(file, true, XZ_MEMORY);
    Box::new(BufReader::new(unpacked))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn lines(file: Box<dyn BufRead>, left: Option<u64>) -> Lines {
        Lines {
            name: "a.gz".to_owned(),
            file,
            left,
            number: 0,
        }
    }

    fn gz(text: &[u8]) -> Box<dyn BufRead> {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(text).unwrap();
        ungz(io::Cursor::new(packed.finish().unwrap()))
    }

    /// How reading to the end ends.
    fn ended(mut lines: Lines) -> Result<u64, String> {
        let (mut line, mut count) = (String::new(), 0);
        while lines.read(&mut line).map_err(|error| error.to_string())? {
            count += 1;
        }
        Ok(count)
    }

    #[test]
    fn what_unpacks_to_too_much_is_refused() {
        let empty = b"\n".repeat(1000);
        assert_eq!(ended(lines(gz(&empty), Some(1000))), Ok(1000));
        let error = ended(lines(gz(&empty), Some(999))).unwrap_err();
        assert!(
            error.starts_with("a.gz:1000: it unpacks to more than 4G"),
            "{error}"
        );
    }

    #[test]
    fn a_line_without_end_is_refused_before_it_fills_memory() {
        let endless = Box::new(BufReader::new(io::repeat(b'x')));
        let error = ended(lines(endless, None)).unwrap_err();
        assert_eq!(error, "a.gz:1: longer than 16M, which no vector is");
    }

    /// Text as .xz, whose header then asks for a dictionary of the size that `property` stands for.
    fn xz(text: &[u8], property: u8) -> Vec<u8> {
        let mut options = lzma_rust2::XzOptions::with_preset(0);
        options.set_block_size(None);
        let mut packed = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
        packed.write_all(text).unwrap();
        let mut packed = packed.finish().unwrap();
        // After the stream's header (12 bytes) the block's: its length in fours, flags, the filter LZMA2 (0x21) with one
        // byte of properties, padding, and a checksum.
        let header = &mut packed[12..];
        let length = (usize::from(header[0]) + 1) * 4;
        let header = &mut header[..length];
        let filter = header
            .windows(2)
            .position(|pair| pair == [0x21, 1])
            .unwrap();
        header[filter + 2] = property;
        let mut sum = flate2::Crc::new();
        sum.update(&header[..length - 4]);
        header[length - 4..].copy_from_slice(&sum.sum().to_le_bytes());
        packed
    }

    #[test]
    fn an_xz_that_asks_for_more_memory_than_any_recording_is_refused() {
        let read = |property| {
            ended(lines(
                unxz(io::Cursor::new(xz(b"one\ntwo\n", property))),
                None,
            ))
        };
        // 64M, as xz -9 has it; 192M; 4G.
        assert_eq!(read(28), Ok(2));
        for property in [31, 40] {
            let error = read(property).unwrap_err();
            assert_eq!(
                error,
                "a.gz:1: unpacking it takes more than 128M of memory; if it is to be trusted, unpack it first",
                "{property}"
            );
        }
    }
}
