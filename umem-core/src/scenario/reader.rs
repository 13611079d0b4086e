//! Scenarios and sets read piece by piece, because the text of a capture takes far more memory than its content.
//!
//! Nearly all of a capture is one list, `memory.extents`, and a set has one for each region. Their items are parsed as they arrive, 16
//! bytes each; the few lines around them are kept, and read at the end.

use super::{MemorySpec, Problem, Scenario, ScenarioError, parsed::Json, set::Set, value::Reading};
use crate::{address::PhysAddr, size::Bytes};
use alloc::{
    boxed::Box,
    format,
    string::{String, ToString},
    vec::Vec,
};

/// The most bytes of a scenario that are not extents.
const LONGEST_REST: usize = 1 << 20;
/// The most bytes of one extent's text.
const LONGEST_EXTENT: usize = 1 << 10;

/// Reads a scenario from pieces of its JSON, in order.
///
/// ```
/// # use umem_core::scenario::ScenarioReader;
/// let mut reader = ScenarioReader::new();
/// for piece in [r#"{"version":1,"region":{"length":"4K"},"memory":{"ext"#, r#"ents":[["0x10"#, r#"00",4096]]},"device":"mlx5"}"#] {
///     reader.feed(piece.as_bytes())?;
/// }
/// let scenario = reader.finish()?;
/// assert_eq!(scenario.memory.extents.unwrap().len(), 1);
/// # Ok::<(), umem_core::scenario::ScenarioError>(())
/// ```
#[derive(Debug)]
pub struct ScenarioReader {
    /// The text without the extents: `[]` stands for each list of them.
    rest: Vec<u8>,
    outside: Outside,
    at: At,
    /// An extent that a piece ended in.
    begun: Vec<u8>,
    /// The lists, in the order of the text. A field that is there twice is an error, so each region has one at most.
    lists: Vec<Vec<(PhysAddr, Bytes)>>,
    /// How many extents may still come.
    most: usize,
    left: usize,
}

/// What a text asks about: one region, or many.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Asked {
    /// One region.
    Scenario(Box<Scenario>),
    /// Many.
    Set(Box<Set>),
}

/// Where the text outside the extents is.
#[derive(Debug, Default)]
struct Outside {
    depth: u32,
    /// How deep the object `memory` lies that this is in.
    memory: Option<u32>,
    /// How many regions of a set have begun.
    regions: usize,
    in_string: bool,
    escaped: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum At {
    Outside,
    /// After the list's `[`.
    First,
    /// After a comma.
    Next,
    Extent,
    /// After an extent's `]`.
    Comma,
}

impl Default for ScenarioReader {
    fn default() -> Self {
        Self::new()
    }
}

impl ScenarioReader {
    /// A reader of as many extents as memory holds.
    pub fn new() -> Self {
        Self::with_limit(usize::MAX)
    }

    /// A reader that refuses scenarios of more than `most` extents.
    pub fn with_limit(most: usize) -> Self {
        Self {
            rest: Vec::new(),
            outside: Outside::default(),
            at: At::Outside,
            begun: Vec::new(),
            lists: Vec::new(),
            most,
            left: most,
        }
    }

    /// Takes the next piece of the text.
    ///
    /// # Errors
    /// An extent that is malformed, more of them than the limit, or text that is too long for a scenario.
    pub fn feed(&mut self, mut piece: &[u8]) -> Result<(), ScenarioError> {
        while !piece.is_empty() {
            piece = match self.at {
                At::Outside => self.around(piece)?,
                At::Extent => self.extent(piece)?,
                _ => self.between(piece)?,
            };
        }
        Ok(())
    }

    /// The scenario, after all of its text was [fed](Self::feed).
    ///
    /// # Errors
    /// JSON that is malformed, of the wrong type, or has fields that the format lacks; the field is named. A set says that it is one.
    pub fn finish(mut self) -> Result<Scenario, ScenarioError> {
        // Not through `finish_either()`: a program that reads no sets then links no code for them.
        let parsed = self.parsed()?;
        match parsed.has("registrations") {
            true => Err(ScenarioError::new("", Problem::IsASet)),
            false => self.scenario(&parsed),
        }
    }

    /// The set, after all of its text was [fed](Self::feed).
    ///
    /// # Errors
    /// As of [`finish`](Self::finish); a scenario says that it is one.
    pub fn finish_set(self) -> Result<Set, ScenarioError> {
        match self.finish_either()? {
            Asked::Set(set) => Ok(*set),
            Asked::Scenario(_) => Err(ScenarioError::new("", Problem::IsAScenario)),
        }
    }

    /// Whichever the text is, after all of it was [fed](Self::feed): it is a set if it has `registrations`.
    ///
    /// # Errors
    /// JSON that is malformed, of the wrong type, or has fields that the format lacks; the field is named.
    pub fn finish_either(mut self) -> Result<Asked, ScenarioError> {
        let parsed = self.parsed()?;
        Ok(match parsed.has("registrations") {
            true => Asked::Set(Box::new(self.set(&parsed)?)),
            false => Asked::Scenario(Box::new(self.scenario(&parsed)?)),
        })
    }

    /// The text without the extents.
    fn parsed(&mut self) -> Result<Json, ScenarioError> {
        if self.at != At::Outside {
            return Err(self.wrong("the text ends within the list"));
        }
        Json::parse(&self.rest).map_err(|wrong| {
            // After extents were taken out, line and column do not match the text that people have.
            let text = match self.lists.is_empty() {
                false => wrong.words.into(),
                true => wrong.to_string(),
            };
            ScenarioError::new(wrong.field, Problem::Json(text))
        })
    }

    /// The scenario, with the extents that were taken out.
    fn scenario(self, parsed: &Json) -> Result<Scenario, ScenarioError> {
        let mut scenario: Scenario = Reading::all(parsed)?;
        give_back(&mut self.lists.into_iter(), &mut scenario.memory);
        Ok(scenario)
    }

    /// The set, each region with its own.
    fn set(self, parsed: &Json) -> Result<Set, ScenarioError> {
        let mut set: Set = Reading::all(parsed)?;
        let mut lists = self.lists.into_iter();
        for member in &mut set.registrations {
            give_back(&mut lists, &mut member.memory);
        }
        Ok(set)
    }

    /// Takes text up to the extents; what is left of `piece`.
    fn around<'p>(&mut self, piece: &'p [u8]) -> Result<&'p [u8], ScenarioError> {
        let mut kept = 0;
        for (i, byte) in piece.iter().enumerate() {
            if !self.outside.pass(*byte) {
                continue;
            }
            // Brackets are rare; only they depend on the text before.
            self.keep(&piece[kept..i])?;
            kept = i;
            let depth = self.outside.depth;
            match byte {
                // Of the scenario, or of an object in the list `registrations`.
                b'{' if matches!(depth, 2 | 4) && ends_with_key(&self.rest, "memory") => {
                    self.outside.memory = Some(depth);
                }
                b'{' if depth == 3 => self.outside.regions += 1,
                b'[' if self
                    .outside
                    .memory
                    .is_some_and(|memory| memory + 1 == depth)
                    && ends_with_key(&self.rest, "extents") =>
                {
                    self.keep(b"[")?;
                    self.lists.push(Vec::new());
                    self.at = At::First;
                    return Ok(&piece[i + 1..]);
                }
                _ => {}
            }
        }
        self.keep(&piece[kept..])?;
        Ok(&[])
    }

    fn keep(&mut self, text: &[u8]) -> Result<(), ScenarioError> {
        if self.rest.len() + text.len() > LONGEST_REST {
            let most = LONGEST_REST as u64;
            return Err(ScenarioError::new("", Problem::TooLong { most }));
        }
        self.rest.extend_from_slice(text);
        Ok(())
    }

    /// Takes what stands between extents.
    fn between<'p>(&mut self, piece: &'p [u8]) -> Result<&'p [u8], ScenarioError> {
        let (byte, after) = piece
            .split_first()
            .expect("feed() passes on no empty piece");
        self.at = match (byte, self.at) {
            (b' ' | b'\n' | b'\r' | b'\t', at) => at,
            (b'[', At::First | At::Next) => {
                if self.left == 0 {
                    let problem = Problem::TooManyExtents { most: self.most };
                    return Err(ScenarioError::new(self.field(), problem));
                }
                self.left -= 1;
                return Ok(piece).inspect(|_| self.at = At::Extent);
            }
            (b',', At::Comma) => At::Next,
            (b']', At::First | At::Comma) => {
                self.outside.pass(b']');
                self.keep(b"]")?;
                At::Outside
            }
            (_, At::Comma) => {
                return Err(self.wrong("expected a comma or the list's end before it"));
            }
            _ => return Err(self.wrong("expected [address, length]")),
        };
        Ok(after)
    }

    /// Takes an extent, or as much of it as is there.
    fn extent<'p>(&mut self, piece: &'p [u8]) -> Result<&'p [u8], ScenarioError> {
        let Some(end) = piece.iter().position(|byte| *byte == b']') else {
            if self.begun.len() + piece.len() > LONGEST_EXTENT {
                return Err(self.wrong("expected [address, length]"));
            }
            self.begun.extend_from_slice(piece);
            return Ok(&[]);
        };
        let (text, after) = piece.split_at(end + 1);
        let extent = if self.begun.is_empty() {
            extent(text)
        } else {
            self.begun.extend_from_slice(text);
            let extent = extent(&self.begun);
            self.begun.clear();
            extent
        };
        let extent = extent.map_err(|problem| self.wrong(&problem))?;
        if let Some(list) = self.lists.last_mut() {
            list.push(extent);
        }
        self.at = At::Comma;
        Ok(after)
    }

    /// The list that is being read.
    fn field(&self) -> String {
        match self.outside.memory {
            Some(4) => {
                let region = self.outside.regions.saturating_sub(1);
                format!("registrations[{region}].memory.extents")
            }
            _ => "memory.extents".into(),
        }
    }

    fn wrong(&self, problem: &str) -> ScenarioError {
        let count = self.lists.last().map_or(0, Vec::len);
        let field = format!("{}[{count}]", self.field());
        ScenarioError::new(field, Problem::Json(problem.into()))
    }
}

/// Puts the next list back, if the memory has one instead of an empty one.
fn give_back(lists: &mut impl Iterator<Item = Vec<(PhysAddr, Bytes)>>, memory: &mut MemorySpec) {
    if let Some(extents) = &mut memory.extents
        && let Some(list) = lists.next()
    {
        *extents = list.into();
    }
}

impl Outside {
    /// Passes over a byte; whether it opens an object or a list.
    fn pass(&mut self, byte: u8) -> bool {
        if self.in_string {
            self.in_string = byte != b'"' || self.escaped;
            self.escaped = byte == b'\\' && !self.escaped;
            return false;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => {
                self.depth += 1;
                return true;
            }
            b'}' | b']' => {
                if self.memory == Some(self.depth) {
                    self.memory = None;
                }
                self.depth = self.depth.saturating_sub(1);
            }
            _ => {}
        }
        false
    }
}

/// Whether `text` ends with the key `name` of an object, and its colon.
fn ends_with_key(text: &[u8], name: &str) -> bool {
    let key = || {
        let text = text.trim_ascii_end().strip_suffix(b":")?;
        let text = text.trim_ascii_end().strip_suffix(b"\"")?;
        let text = text.strip_suffix(name.as_bytes())?.strip_suffix(b"\"")?;
        text.trim_ascii_end().last()
    };
    matches!(key(), Some(b'{' | b','))
}

/// Reads `["0x1000",4096]`, directly in its usual form, else as any JSON; the error says what is wrong.
fn extent(text: &[u8]) -> Result<(PhysAddr, Bytes), String> {
    if let Some(extent) = usual(text) {
        return Ok(extent);
    }
    let parsed = Json::parse(text).map_err(|wrong| wrong.words.to_string())?;
    Reading::all(&parsed).map_err(|error| error.problem().to_string())
}

/// `["0x…",…]` without blanks, the length a number: what `umem capture` writes.
fn usual(text: &[u8]) -> Option<(PhysAddr, Bytes)> {
    let mut digits = text.strip_prefix(b"[\"0x")?;
    let mut address = 0u64;
    let mut count = 0;
    let rest = loop {
        let (byte, after) = digits.split_first()?;
        digits = after;
        match char::from(*byte).to_digit(16) {
            Some(digit) => address = address << 4 | u64::from(digit),
            None => break digits.strip_prefix(b",").filter(|_| *byte == b'"')?,
        }
        count += 1;
    };
    let digits = rest.strip_suffix(b"]")?;
    let plain = (1..=16).contains(&count) && (1..=18).contains(&digits.len());
    if !plain || digits[0] == b'0' && digits.len() > 1 {
        return None;
    }
    let length = digits.iter().try_fold(0u64, |length, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| length * 10 + u64::from(digit))
    })?;
    Some((PhysAddr::new(address), Bytes(length)))
}

#[cfg(all(test, feature = "serde"))]
mod tests;
