//! Where a command takes its scenario from.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use anyhow::Context;
use flate2::bufread::MultiGzDecoder;
use umem_core::scenario::{
    Asked, DeviceSpec, Problem, Scenario, ScenarioError, ScenarioReader, presets,
};

use crate::cases;

/// A file, a preset or a case.
#[derive(Debug, clap::Args)]
pub struct Source {
    /// A scenario or capture as JSON, plain or gzip; - reads standard input
    #[arg(
        value_name = "FILE",
        required_unless_present_any = ["preset", "case"],
        conflicts_with_all = ["preset", "case"]
    )]
    file: Option<PathBuf>,

    /// A scene of the mail, by name
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,

    /// A public report of `umem list cases`, by name; NAME:N is its N-th question
    #[arg(long, value_name = "NAME", conflicts_with = "preset")]
    case: Option<String>,
}

impl Source {
    /// The scenario that is in it.
    pub fn scenario(&self) -> anyhow::Result<Scenario> {
        match self.asked()? {
            Asked::Scenario(scenario) => Ok(*scenario),
            Asked::Set(_) => Err(ScenarioError::new("", Problem::IsASet).into()),
        }
    }

    /// The scenario or the set that is in it.
    pub fn asked(&self) -> anyhow::Result<Asked> {
        if let Some(name) = &self.case {
            return Ok(cases::find(name)?.asked()?);
        }
        match (&self.preset, &self.file) {
            (Some(name), _) => Ok(Asked::Scenario(Box::new(preset(name)?))),
            (None, Some(path)) => read_either(path),
            (None, None) => unreachable!("clap demands a file, a preset or a case"),
        }
    }
}

/// A device of the catalogue, or of a file: what is a path, and no device's name. Nothing in either is looked at here.
///
/// # Errors
/// A file that cannot be read, or is no device.
pub fn device(name: &str) -> anyhow::Result<DeviceSpec> {
    let is_path = name.contains('/') || name.ends_with(".json");
    if umem_core::device::find(name).is_some() || !(is_path || Path::new(name).is_file()) {
        return Ok(DeviceSpec::Name(name.to_owned()));
    }
    let file = File::open(name).map_err(|error| unreadable(name, &error))?;
    let mut text = String::new();
    let read = file.take(LONGEST_DEVICE + 1).read_to_string(&mut text);
    let length = read.map_err(|error| unreadable(name, &error))?;
    anyhow::ensure!(
        length as u64 <= LONGEST_DEVICE,
        "{name}: more than {LONGEST_DEVICE} bytes, which no device file has"
    );
    let object = serde_json::from_str(&text).with_context(|| {
        format!("{name} is not a device file, as `umem inspect -o {name}` writes it")
    })?;
    Ok(DeviceSpec::Custom(object))
}

fn preset(name: &str) -> Result<Scenario, ScenarioError> {
    presets::find(name)
        .map(presets::Preset::scenario)
        .ok_or_else(|| {
            let problem = Problem::Unknown {
                name: name.to_owned(),
                known: presets::names().collect(),
            };
            ScenarioError::new("--preset", problem)
        })
}

/// Longer than a device file is, with every page size there is.
const LONGEST_DEVICE: u64 = 64 << 10;

/// How much is read at once.
const PIECE: usize = 256 << 10;

/// The bytes that planning an extent takes at most, in all stages together.
const BYTES_AN_EXTENT: u64 = 320;

/// Reads a scenario from a file, or from standard input.
pub fn read(path: &Path) -> anyhow::Result<Scenario> {
    match read_either(path)? {
        Asked::Scenario(scenario) => Ok(*scenario),
        Asked::Set(_) => Err(ScenarioError::new("", Problem::IsASet).into()),
    }
}

/// Reads a scenario or a set from a file, or from standard input: as it comes, so that only what it says takes memory.
fn read_either(path: &Path) -> anyhow::Result<Asked> {
    let (name, source): (_, Box<dyn Read>) = if path == Path::new("-") {
        ("standard input".into(), Box::new(io::stdin().lock()))
    } else {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| unreadable(&name, &error))?;
        (name, Box::new(file))
    };
    let most = available_memory().map_or(u64::MAX, |bytes| bytes / BYTES_AN_EXTENT);
    let reader = ScenarioReader::with_limit(usize::try_from(most).unwrap_or(usize::MAX));
    take(source, reader, &name)
}

fn take(source: impl Read, mut reader: ScenarioReader, name: &str) -> anyhow::Result<Asked> {
    let unreadable = |error| unreadable(name, &error);
    let mut source = unpacked(source).map_err(unreadable)?;
    loop {
        let piece = source.fill_buf().map_err(unreadable)?;
        let length = piece.len();
        if length == 0 {
            break;
        }
        reader.feed(piece).with_context(|| name.to_owned())?;
        source.consume(length);
    }
    reader.finish_either().with_context(|| name.to_owned())
}

/// The text of `source`, which may be packed by gzip.
fn unpacked<'s>(mut source: impl Read + 's) -> io::Result<Box<dyn BufRead + 's>> {
    let mut magic = Vec::new();
    (&mut source).take(2).read_to_end(&mut magic)?;
    let packed = magic == [0x1f, 0x8b];
    let source = BufReader::with_capacity(PIECE, io::Cursor::new(magic).chain(source));
    Ok(match packed {
        true => Box::new(BufReader::with_capacity(PIECE, MultiGzDecoder::new(source))),
        false => Box::new(source),
    })
}

/// What the kernel could give to programs (`MemAvailable`), in bytes.
fn available_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes << 10)
}

/// Input that cannot be read is wrong input, not an inability of this machine.
fn unreadable(name: &str, error: &io::Error) -> anyhow::Error {
    anyhow::anyhow!("{name} cannot be read: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    const SCENARIO: &str = r#"{"version":1,"region":{"length":"8K"},"device":"mlx5",
        "memory":{"extents":[["0x1000",4096],["0x3000",4096]]}}"#;

    fn packed(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    fn taken(bytes: &[u8], most: usize) -> anyhow::Result<Scenario> {
        match take(bytes, ScenarioReader::with_limit(most), "it")? {
            Asked::Scenario(scenario) => Ok(*scenario),
            Asked::Set(set) => panic!("{set:?} is a set"),
        }
    }

    #[test]
    fn plain_and_packed_say_the_same() {
        let expected = Scenario::from_json(SCENARIO.as_bytes()).unwrap();
        assert_eq!(taken(SCENARIO.as_bytes(), 2).unwrap(), expected);
        assert_eq!(taken(&packed(SCENARIO), 2).unwrap(), expected);
        let (one, two) = SCENARIO.split_at(70);
        let members = [packed(one), packed(two)].concat();
        assert_eq!(taken(&members, 2).unwrap(), expected, "gzip of two members");
    }

    #[test]
    fn what_does_not_fit_into_memory_is_refused() {
        let error = taken(SCENARIO.as_bytes(), 1).unwrap_err();
        assert!(format!("{error:#}").contains("memory.extents: more than 1"));
        assert!(available_memory().is_some_and(|bytes| bytes > 1 << 20));
        // A packed gigabyte of zeros.
        let mut bomb = GzEncoder::new(Vec::new(), Compression::fast());
        let zeros = vec![b' '; 1 << 20];
        (0..64).for_each(|_| bomb.write_all(&zeros).unwrap());
        let error = taken(&bomb.finish().unwrap(), 1).unwrap_err();
        assert!(format!("{error:#}").contains("not a scenario"), "{error:#}");
    }

    /// A pipe whose writer is slow.
    struct ByteByByte<'b>(&'b [u8]);

    impl Read for ByteByByte<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let most = into.len().min(1);
            self.0.read(&mut into[..most])
        }
    }

    #[test]
    fn gzip_is_recognised_however_slowly_it_comes() {
        let packed = packed(SCENARIO);
        for bytes in [SCENARIO.as_bytes(), &packed] {
            let reader = ScenarioReader::with_limit(2);
            assert!(take(ByteByByte(bytes), reader, "it").is_ok());
        }
    }

    #[test]
    fn a_device_is_a_name_or_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ionic0.json");
        let path = path.to_str().unwrap();
        let text = r#"{"name":"ionic","page_sizes":["4K","2M"],"max_entries":524288}"#;
        std::fs::write(path, text).unwrap();
        match device(path).unwrap() {
            DeviceSpec::Custom(object) => {
                assert_eq!(
                    (object.name.as_deref(), object.max_entries),
                    (Some("ionic"), Some(524_288))
                );
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(device("mlx5").unwrap(), DeviceSpec::Name("mlx5".to_owned()));
        // Who misspells a name wants the list of names, not a file.
        assert_eq!(device("mlx6").unwrap(), DeviceSpec::Name("mlx6".to_owned()));
        let wrong = |text: &str| {
            std::fs::write(path, text).unwrap();
            format!("{:#}", device(path).unwrap_err())
        };
        assert!(wrong(r#"{"nam":"x"}"#).contains("unknown field `nam`"));
        assert!(wrong("[1]").contains("not a device file"));
        assert!(wrong(&" ".repeat(70_000)).contains("no device file has"));
        std::fs::remove_file(path).unwrap();
        assert!(format!("{:#}", device(path).unwrap_err()).contains("cannot be read"));
    }

    #[test]
    fn a_cut_gzip_is_an_error() {
        let whole = packed(SCENARIO);
        let error = taken(&whole[..whole.len() - 12], 2).unwrap_err();
        assert!(
            error.to_string().starts_with("it cannot be read"),
            "{error}"
        );
    }
}
