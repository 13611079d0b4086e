//! The order of functions: each beside one that it shares most with. What is packed by brotli is a fiftieth smaller for it, as what repeats
//! is near, and what is alike is told in the same contexts.
//!
//! Binaryen can move functions, which all that calls them must follow, and puts them into the order of their names. So the names are
//! written that put them into the right one.

use super::shrink::{leb128, put};
use anyhow::{Context, Result};
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use wasmparser::{Imports, Parser, Payload, TypeRef};

/// Names the functions of the code in `file` so that they stand in the order of their names.
pub fn file(file: &Path) -> Result<()> {
    let code = fs::read(file).with_context(|| file.display().to_string())?;
    let named = named(&code)?;
    fs::write(file, named).with_context(|| file.display().to_string())
}

fn named(code: &[u8]) -> Result<Vec<u8>> {
    // What begins every module: its magic number and version.
    let mut named = code[..8].to_vec();
    let (mut imported, mut bodies) = (0, Vec::new());
    for part in Parser::new(0).parse_all(code) {
        let part = part.context("this is no wasm")?;
        if let Some((id, range)) = part.as_section()
            && !matches!(&part, Payload::CustomSection(section) if section.name() == "name")
        {
            named.push(id);
            put(&mut named, &code[range]);
        }
        match part {
            Payload::ImportSection(imports) => {
                for import in imports {
                    if let Imports::Single(_, import) = import?
                        && matches!(import.ty, TypeRef::Func(_))
                    {
                        imported += 1;
                    }
                }
            }
            Payload::CodeSectionEntry(body) => bodies.push(&code[body.range()]),
            _ => {}
        }
    }
    let mut places = vec![0; bodies.len()];
    for (place, number) in alike(&bodies).into_iter().enumerate() {
        places[number] = place;
    }
    let names = (0..imported)
        .map(|number| format!("i{number:06}"))
        .chain(places.iter().map(|place| format!("{place:06}")));
    named.push(0);
    put(&mut named, &section(names.collect()));
    Ok(named)
}

/// A section of names: of functions, the first of which is number 0.
fn section(names: Vec<String>) -> Vec<u8> {
    let mut functions = Vec::new();
    leb128(&mut functions, names.len());
    for (number, name) in names.iter().enumerate() {
        leb128(&mut functions, number);
        put(&mut functions, name.as_bytes());
    }
    let mut section = Vec::new();
    put(&mut section, b"name");
    // The subsection of functions.
    section.push(1);
    put(&mut section, &functions);
    section
}

/// How many bytes must be the same to count.
const PIECE: usize = 5;
/// What more functions have than this says nothing of any two of them.
const COMMON: usize = 200;
/// The least share of a function that another has in common with it, for it to come next.
const LEAST: f64 = 0.12;
/// Short functions share much by chance: as if each had so many pieces more.
const SHORT: f64 = 20.0;

/// The numbers of these functions, beginning with the longest: after each comes that which has most in common with it, for its length. Where
/// none has, the first that is left comes next.
fn alike(bodies: &[&[u8]]) -> Vec<usize> {
    let pieces: Vec<Vec<&[u8]>> = bodies
        .iter()
        .map(|body| {
            let mut pieces: Vec<_> = body.windows(PIECE).collect();
            pieces.sort_unstable();
            pieces.dedup();
            pieces
        })
        .collect();
    let mut holders: HashMap<&[u8], Vec<usize>> = HashMap::new();
    for (number, pieces) in pieces.iter().enumerate() {
        for piece in pieces {
            holders.entry(piece).or_default().push(number);
        }
    }
    holders.retain(|_, holders| holders.len() < COMMON);
    let mut order = Vec::with_capacity(bodies.len());
    let mut is_left = vec![true; bodies.len()];
    let mut shared = vec![0_u32; bodies.len()];
    let mut first_left = 0;
    let longest = (0..bodies.len()).max_by_key(|number| bodies[*number].len());
    let mut next = longest;
    while let Some(number) = next {
        order.push(number);
        is_left[number] = false;
        let mut met = Vec::new();
        for piece in &pieces[number] {
            for other in holders.get(piece).into_iter().flatten() {
                if is_left[*other] {
                    if shared[*other] == 0 {
                        met.push(*other);
                    }
                    shared[*other] += 1;
                }
            }
        }
        let mut best = None;
        for other in met {
            let share = f64::from(shared[other]) / (pieces[other].len() as f64 + SHORT);
            shared[other] = 0;
            if share >= LEAST && best.is_none_or(|(most, _)| share > most) {
                best = Some((share, other));
            }
        }
        while is_left.get(first_left) == Some(&false) {
            first_left += 1;
        }
        let first = (first_left < bodies.len()).then_some(first_left);
        next = best.map(|(_, other)| other).or(first);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::{alike, named};
    use wasmparser::{KnownCustom, Name, Parser, Payload};

    #[test]
    fn what_is_alike_stands_together_and_nothing_is_lost() {
        let bodies: [&[u8]; 5] = [
            b"a quite other text 1",
            b"the same words again and again, one",
            b"0123456789",
            b"a quite other text 2",
            b"the same words again and again, two and more",
        ];
        let order = alike(&bodies);
        assert_eq!(order, [4, 1, 0, 3, 2]);
        assert!(alike(&[]).is_empty());
    }

    /// A module with one imported function and two of its own.
    const CODE: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02\x07\x01\x01a\x01b\0\0\x03\x03\x02\0\0\x0a\x0b\x02\x02\0\x0b\x06\0\x10\0\x10\0\x0b\0\x05\x04name";

    #[test]
    fn names_put_the_longest_first() {
        let named = named(CODE).unwrap();
        let mut found = Vec::new();
        for part in Parser::new(0).parse_all(&named) {
            if let Payload::CustomSection(section) = part.unwrap()
                && let KnownCustom::Name(names) = section.as_known()
            {
                for name in names {
                    if let Name::Function(functions) = name.unwrap() {
                        found.extend(
                            functions
                                .into_iter()
                                .map(|name| name.unwrap().name.to_owned()),
                        );
                    }
                }
            }
        }
        assert_eq!(found, ["i000000", "000001", "000000"]);
    }
}
