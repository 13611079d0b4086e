//! What wasm-bindgen wrote, made smaller: without what nobody reads.
//!
//! The names of functions are a third of the code. What it imports has names such as `__wbg_appendChild_8f2a41c07d5e9b36`, in the
//! code and in the JavaScript beside it: as they are partly random, they take more of a download than they seem to.

use crate::{APART, LOADER};
use anyhow::{Context, Result, bail, ensure};
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use wasmparser::{ImportSectionReader, Imports, Parser, Payload, TypeRef};

/// Makes what lies in a folder smaller: `name.js`, `name_bg.wasm`, and what is apart, if something is.
pub fn folder(folder: &Path, name: &str) -> Result<()> {
    let apart = folder.join(APART);
    if apart.exists() {
        fs::write(&apart, unnamed(&fs::read(&apart)?)?)?;
    }
    let [code, glue] = ["_bg.wasm", ".js"].map(|end| folder.join(name.to_owned() + end));
    let calls = fs::read_to_string(&glue).with_context(|| glue.display().to_string())?;
    let beside = format!("new URL('{name}_bg.wasm', import.meta.url)");
    ensure!(
        calls.contains(&beside),
        "{} does not load the code that lies beside it",
        glue.display()
    );
    let (less, renamed) = shrink(&fs::read(&code)?, &calls)?;
    fs::write(&code, less)?;
    fs::write(&glue, renamed)?;
    Ok(())
}

/// The code without the names of its functions, and with short ones for what it imports; the JavaScript with these.
fn shrink(code: &[u8], glue: &str) -> Result<(Vec<u8>, String)> {
    let mut names = Names::default();
    let kept = rewritten(code, |imports| names.shorten(imports).map(Some))?;
    Ok((kept, names.within(glue)?))
}

/// The code without the names of its functions.
fn unnamed(code: &[u8]) -> Result<Vec<u8>> {
    rewritten(code, |_| Ok(None))
}

/// The code without the names of its functions, and with another section of imports, if `imports` makes one.
fn rewritten(
    code: &[u8],
    mut imports: impl FnMut(ImportSectionReader<'_>) -> Result<Option<Vec<u8>>>,
) -> Result<Vec<u8>> {
    // What begins every module: its magic number and version.
    let mut kept = code[..8].to_vec();
    for part in Parser::new(0).parse_all(code) {
        let part = part.context("wasm-bindgen wrote no wasm")?;
        let Some((id, range)) = part.as_section() else {
            continue;
        };
        let other = match part {
            Payload::CustomSection(section) if section.name() == "name" => continue,
            Payload::ImportSection(section) => imports(section)?,
            _ => None,
        };
        kept.push(id);
        put(&mut kept, other.as_deref().unwrap_or(&code[range]));
    }
    Ok(kept)
}

/// The short names of what is imported.
#[derive(Default)]
struct Names(HashMap<String, String>);

impl Names {
    /// The section of imports, by short names.
    fn shorten(&mut self, imports: ImportSectionReader<'_>) -> Result<Vec<u8>> {
        let mut section = Vec::new();
        leb128(&mut section, imports.count() as usize);
        for import in imports {
            let Imports::Single(_, import) = import? else {
                bail!("wasm-bindgen groups imports, which shrink.rs does not know");
            };
            let TypeRef::Func(kind) = import.ty else {
                bail!("{} is imported, and is no function", import.name);
            };
            // What the loader of more code has keeps its name.
            let name = if import.module.ends_with(LOADER) {
                import.name
            } else {
                let next = short(self.0.len());
                self.0.entry(import.name.to_owned()).or_insert(next)
            };
            put(&mut section, import.module.as_bytes());
            put(&mut section, name.as_bytes());
            section.push(0);
            leb128(&mut section, kind as usize);
        }
        Ok(section)
    }

    /// The JavaScript with the short names.
    fn within(&self, glue: &str) -> Result<String> {
        let mut renamed = String::new();
        let mut found = 0;
        for word in words(glue) {
            let short = self.0.get(word);
            found += usize::from(short.is_some());
            renamed.push_str(short.map_or(word, String::as_str));
        }
        ensure!(
            found == self.0.len(),
            "the code imports {} functions, and its JavaScript has {found} of that name",
            self.0.len()
        );
        Ok(renamed)
    }
}

/// The pieces of JavaScript: what may be a name, and what lies between.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$');
    let mut rest = text;
    std::iter::from_fn(move || {
        let bytes = rest.as_bytes();
        let kind = is_word(bytes.first()?);
        let end = bytes.iter().position(|byte| is_word(byte) != kind);
        let word;
        // Where a word begins or ends, no character is cut: those of several bytes are none of a word's.
        (word, rest) = rest.split_at(end.unwrap_or(bytes.len()));
        Some(word)
    })
}

/// The name number `number`: a, b, … z, ba, bb, ….
fn short(number: usize) -> String {
    let digit = char::from(b'a' + (number % 26) as u8);
    match number / 26 {
        0 => digit.into(),
        more => short(more) + &String::from(digit),
    }
}

/// Bytes as wasm writes them, after their length.
pub fn put(section: &mut Vec<u8>, bytes: &[u8]) {
    leb128(section, bytes.len());
    section.extend(bytes);
}

/// A number as wasm writes it.
pub fn leb128(section: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        section.push(number as u8 | 0x80);
        number >>= 7;
    }
    section.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::{short, shrink, words};
    use std::collections::HashSet;

    /// A module that imports two functions, one of them twice, and has a name section.
    const CODE: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02\x22\x03\x02./\x05long1\0\0\x02./\x05long2\0\0\x02./\x05long1\0\0\0\x05\x04name";

    #[test]
    fn imports_get_short_names_on_both_sides_and_names_go() {
        let (code, glue) = shrink(CODE, "({ long1: f(\"…\").long12, long2() {} })").unwrap();
        assert_eq!(
            code,
            b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02\x16\x03\x02./\x01a\0\0\x02./\x01b\0\0\x02./\x01a\0\0"
        );
        assert_eq!(glue, "({ a: f(\"…\").long12, b() {} })");
    }

    #[test]
    fn javascript_of_another_code_is_refused() {
        for glue in ["({ long1() {} })", "({ long1() {}, long2() {}, long2: 1 })"] {
            let error = shrink(CODE, glue).unwrap_err().to_string();
            assert!(error.starts_with("the code imports 2 functions"), "{error}");
        }
    }

    #[test]
    fn no_two_names_are_the_same() {
        let names: HashSet<_> = (0..2000).map(short).collect();
        assert_eq!(names.len(), 2000);
        assert_eq!(
            [0, 25, 26, 675, 676].map(short),
            ["a", "z", "ba", "zz", "baa"]
        );
    }

    #[test]
    fn words_are_all_of_the_text() {
        let text = "äa1 …_$b\u{1f600}c";
        assert_eq!(words(text).collect::<String>(), text);
        assert_eq!(
            words("a.b1 c").collect::<Vec<_>>(),
            ["a", ".", "b1", " ", "c"]
        );
    }
}
