//! What authors write on a line of its own, and what stands there in the book:
//!
//! | marker | becomes |
//! |---|---|
//! | `{{#umem NAME at=cut controls=play}}` | the element, its picture and its command: NAME is a preset, or a file of `docs/scenes` without `.json` |
//! | `{{#run plan --preset mail --why}}` | that command of `umem`, and what it prints |
//! | `{{#file examples/register.c}}` | a file of `docs`, as a listing |
//! | `{{#bits 0x7f0000201234 2M}}` | the address as bits, cut where pages of that size cut it |
//! | `{{#table devices}}` | a table, or a reference, of what the code knows |

use anyhow::{Result, bail, ensure};

/// A marker, read.
#[derive(Debug, PartialEq, Eq)]
pub enum Marker<'a> {
    Scene {
        name: &'a str,
        /// The moment that is shown first, and drawn.
        at: &'a str,
        /// What else the element is told, as its attributes.
        attributes: Vec<(&'a str, &'a str)>,
    },
    Run(Vec<&'a str>),
    Bits {
        address: &'a str,
        size: &'a str,
    },
    Table(&'a str),
    /// Named from `docs`.
    File(&'a str),
}

/// The element's attributes that a marker may set; the scene and the moment are not among them.
const ATTRIBUTES: [&str; 5] = ["controls", "lanes", "speed", "loop", "autoplay"];
/// What `{{#run …}}` may run: what answers the same on every machine.
const COMMANDS: [&str; 2] = ["plan", "list"];

/// The marker that a line is, if it is one.
pub fn read(line: &str) -> Result<Option<Marker<'_>>> {
    let Some(marker) = line.trim().strip_prefix("{{#") else {
        ensure!(
            !line.contains("{{#"),
            "a marker stands on a line of its own"
        );
        return Ok(None);
    };
    let Some(marker) = marker.strip_suffix("}}") else {
        bail!("a marker ends with }}}}");
    };
    let mut words = marker.split_whitespace();
    let kind = words.next().unwrap_or_default();
    Ok(Some(match kind {
        "umem" => scene(words)?,
        "run" => run(words.collect())?,
        "bits" => match words.collect::<Vec<_>>()[..] {
            [address, size] => Marker::Bits { address, size },
            _ => bail!("{{{{#bits}}}} takes an address and a page size"),
        },
        "table" => Marker::Table(name(kind, words)?),
        "file" => Marker::File(name(kind, words)?),
        other => bail!("there is no marker \"{other}\": there are umem, run, bits, table and file"),
    }))
}

/// The one name that such a marker takes.
fn name<'a>(kind: &str, words: impl Iterator<Item = &'a str>) -> Result<&'a str> {
    let names: Vec<_> = words.collect();
    match names.as_slice() {
        [name] => Ok(name),
        _ => bail!("{{{{#{kind}}}}} takes one name"),
    }
}

fn scene<'a>(mut words: impl Iterator<Item = &'a str>) -> Result<Marker<'a>> {
    let Some(name) = words.next().filter(|name| !name.contains('=')) else {
        bail!("{{{{#umem}}}} begins with a preset or the name of a file in docs/scenes");
    };
    let (mut at, mut attributes) = ("end", Vec::new());
    for word in words {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        match key {
            "at" => at = value,
            _ if ATTRIBUTES.contains(&key) => attributes.push((key, value)),
            _ => bail!(
                "\"{key}\" is not known to {{{{#umem}}}}: there are at, {}",
                ATTRIBUTES.join(", ")
            ),
        }
    }
    Ok(Marker::Scene {
        name,
        at,
        attributes,
    })
}

fn run(words: Vec<&str>) -> Result<Marker<'_>> {
    let command = words.first().copied().unwrap_or_default();
    ensure!(
        COMMANDS.contains(&command),
        "{{{{#run}}}} runs `umem {}` only: the others answer differently on every machine",
        COMMANDS.join("` and `umem ")
    );
    Ok(Marker::Run(words))
}

#[cfg(test)]
mod tests {
    use super::{Marker, read};

    #[test]
    fn markers_are_read() {
        let scene = read("{{#umem mail at=cut controls=full}}").unwrap();
        let wanted = Marker::Scene {
            name: "mail",
            at: "cut",
            attributes: vec![("controls", "full")],
        };
        assert_eq!(scene, Some(wanted));
        assert_eq!(
            read("{{#table devices}}").unwrap(),
            Some(Marker::Table("devices"))
        );
        assert_eq!(read("A line of {text}.").unwrap(), None);
    }

    #[test]
    fn wrong_ones_are_refused_in_words() {
        for (line, word) in [
            ("See {{#umem mail}} here", "own"),
            ("{{#umem mail", "ends with"),
            ("{{#umem at=cut}}", "preset"),
            ("{{#umem mail at=cut moment=2}}", "moment"),
            ("{{#run check}}", "umem plan"),
            ("{{#bits 0x1000}}", "a page size"),
            ("{{#include x}}", "include"),
            ("{{#table}}", "one name"),
        ] {
            let error = read(line).unwrap_err().to_string();
            assert!(error.contains(word), "{line}: {error}");
        }
    }
}
