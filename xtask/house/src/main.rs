//! `cargo xtask house`: the rooms of each crate, and which use which, read from the code. It writes docs/ARCHITECTURE.md, and a test holds
//! that file against the code. It is a program of its own: parsing Rust takes a crate that nobody who wants to see the page should wait for.
//!
//! A room is a module at a crate's root. Rooms stand on floors: each uses only what is below. A circle of rooms is an error, here and in
//! the test.

use anyhow::{Context, Result, bail};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use syn::visit::Visit;

/// The crates that are drawn, each with the file of its root.
const CRATES: &[(&str, &str)] = &[
    ("umem-core", "lib.rs"),
    ("web", "lib.rs"),
    ("native-runner", "main.rs"),
    ("xtask", "main.rs"),
    ("xtask/packer", "main.rs"),
];

/// The workspace, from which cargo runs this and its tests.
const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Where the drawing is.
fn file() -> PathBuf {
    Path::new(WORKSPACE).join("docs/ARCHITECTURE.md")
}

fn main() -> Result<()> {
    fs::write(file(), drawing()?).with_context(|| format!("cannot write {}", file().display()))
}

fn drawing() -> Result<String> {
    let mut text = String::from(
        "# The house\n\n\
         Written by `cargo xtask house`, from the code: a room is a module at a crate's root, its line the first sentence of its documentation. A\n\
         room uses only rooms of floors below its own. web and native-runner use umem-core, and do not know each other.\n",
    );
    for (name, root) in CRATES {
        let house = House::read(&Path::new(WORKSPACE).join(name).join("src"), root)
            .with_context(|| format!("in {name}"))?;
        writeln!(
            text,
            "\n## {name}\n\n| floor | room | is | uses |\n|--:|---|---|---|"
        )?;
        let floors = house.floors().with_context(|| format!("in {name}"))?;
        for (floor, rooms) in floors.iter().enumerate().rev() {
            for room in rooms {
                let Room { about, uses } = &house.rooms[*room];
                let uses: Vec<_> = uses.iter().map(|used| format!("`{used}`")).collect();
                let uses = uses.join(" ");
                writeln!(text, "| {floor} | `{room}` | {about} | {uses} |")?;
            }
        }
    }
    Ok(text)
}

/// A crate.
struct House {
    rooms: BTreeMap<String, Room>,
}

struct Room {
    /// What it is, in a sentence.
    about: String,
    uses: BTreeSet<String>,
}

impl House {
    fn read(sources: &Path, root: &str) -> Result<Self> {
        let mut rooms = BTreeMap::new();
        for item in parsed(&sources.join(root))?.items {
            let syn::Item::Mod(module) = item else {
                continue;
            };
            if is_test(&module.attrs) || module.content.is_some() {
                continue;
            }
            let name = module.ident.to_string();
            let (file, folder) = (sources.join(format!("{name}.rs")), sources.join(&name));
            let file = if file.exists() {
                file
            } else {
                folder.join("mod.rs")
            };
            let mut uses = Uses::default();
            let own = parsed(&file)?;
            let about = about(&own);
            uses.visit_file(&own);
            if folder.is_dir() {
                below(&folder, &mut uses)?;
            }
            rooms.insert(
                name,
                Room {
                    about,
                    uses: uses.0,
                },
            );
        }
        let known: BTreeSet<_> = rooms.keys().cloned().collect();
        for (name, room) in &mut rooms {
            room.uses
                .retain(|used| known.contains(used) && used != name);
        }
        Ok(House { rooms })
    }

    /// The rooms floor by floor, the lowest first.
    ///
    /// # Errors
    /// Rooms that use each other in a circle stand on no floor.
    fn floors(&self) -> Result<Vec<BTreeSet<&str>>> {
        let mut floors: Vec<BTreeSet<&str>> = Vec::new();
        let mut left: BTreeSet<&str> = self.rooms.keys().map(String::as_str).collect();
        while let Some(room) = left.first() {
            let stands = |room: &&str| {
                self.rooms[*room]
                    .uses
                    .iter()
                    .all(|used| !left.contains(&**used))
            };
            let floor: BTreeSet<&str> = left.iter().copied().filter(stands).collect();
            if floor.is_empty() {
                bail!(
                    "rooms use each other in a circle, {}: move what they share into a room below them",
                    self.circle(room, &left).join(" → ")
                );
            }
            left.retain(|room| !floor.contains(room));
            floors.push(floor);
        }
        Ok(floors)
    }

    /// A circle among rooms that each use another of them, found by following uses from `room`.
    fn circle<'h>(&'h self, room: &'h str, left: &BTreeSet<&str>) -> Vec<&'h str> {
        let mut path = vec![room];
        loop {
            let mut uses = self.rooms[path[path.len() - 1]].uses.iter();
            let next = uses.find(|used| left.contains(used.as_str()));
            let next = next.expect("each room that is left uses another").as_str();
            let begins = path.iter().position(|room| *room == next);
            path.push(next);
            if let Some(begins) = begins {
                return path.split_off(begins);
            }
        }
    }
}

fn parsed(file: &Path) -> Result<syn::File> {
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    syn::parse_file(&text).with_context(|| format!("cannot parse {}", file.display()))
}

fn below(folder: &Path, uses: &mut Uses) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            below(&path, uses)?;
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs") {
            uses.visit_file(&parsed(&path)?);
        }
    }
    Ok(())
}

/// The first sentence of the file's documentation, on one line.
fn about(file: &syn::File) -> String {
    let lines = file
        .attrs
        .iter()
        .filter_map(|attribute| match &attribute.meta {
            syn::Meta::NameValue(doc) if doc.path.is_ident("doc") => match &doc.value {
                syn::Expr::Lit(syn::ExprLit {
                    lit: syn::Lit::Str(line),
                    ..
                }) => Some(line.value().trim().to_owned()),
                _ => None,
            },
            _ => None,
        });
    let paragraph: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
    let paragraph = plain(&paragraph.join(" ")).replace('|', "\\|");
    match paragraph.split_once(". ") {
        Some((sentence, _)) => format!("{sentence}."),
        None => paragraph,
    }
}

/// The text without its links.
fn plain(text: &str) -> String {
    let mut pieces = text.split("](");
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        plain.push_str(piece.split_once(')').map_or(piece, |(_, rest)| rest));
    }
    plain.replace("[`", "`").replace("`]", "`")
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Ident>()
                .is_ok_and(|word| word == "test")
    })
}

/// What follows `crate::`, but in tests.
#[derive(Default)]
struct Uses(BTreeSet<String>);

impl Uses {
    fn tree(&mut self, tree: &syn::UseTree) {
        match tree {
            syn::UseTree::Path(path) => drop(self.0.insert(path.ident.to_string())),
            syn::UseTree::Name(name) => drop(self.0.insert(name.ident.to_string())),
            syn::UseTree::Rename(name) => drop(self.0.insert(name.ident.to_string())),
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(tree)),
            syn::UseTree::Glob(_) => {}
        }
    }
}

impl<'a> Visit<'a> for Uses {
    fn visit_item_mod(&mut self, module: &'a syn::ItemMod) {
        if !is_test(&module.attrs) {
            syn::visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_use(&mut self, item: &'a syn::ItemUse) {
        if let syn::UseTree::Path(path) = &item.tree
            && path.ident == "crate"
            && !is_test(&item.attrs)
        {
            self.tree(&path.tree);
        }
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        if let [first, second, ..] = path.segments.iter().collect::<Vec<_>>()[..]
            && first.ident == "crate"
        {
            self.0.insert(second.ident.to_string());
        }
        syn::visit::visit_path(self, path);
    }
}

#[cfg(test)]
mod tests {
    use super::{House, Room, drawing, file};

    #[test]
    fn the_drawing_is_of_todays_code() {
        let drawn = std::fs::read_to_string(file()).unwrap_or_default();
        assert!(
            drawn == drawing().unwrap(),
            "docs/ARCHITECTURE.md is old: cargo xtask house"
        );
    }

    /// A house of rooms, each with those that it uses.
    fn house(rooms: &[(&str, &[&str])]) -> House {
        let rooms = rooms.iter().map(|(name, uses)| {
            let room = Room {
                about: String::new(),
                uses: uses.iter().map(|&used| used.to_owned()).collect(),
            };
            ((*name).to_owned(), room)
        });
        House {
            rooms: rooms.collect(),
        }
    }

    #[test]
    fn rooms_stand_above_those_that_they_use() {
        let house = house(&[("top", &["a", "below"]), ("a", &["below"]), ("below", &[])]);
        let floors: Vec<Vec<_>> = house
            .floors()
            .unwrap()
            .into_iter()
            .map(|floor| floor.into_iter().collect())
            .collect();
        assert_eq!(floors, [vec!["below"], vec!["a"], vec!["top"]]);
    }

    #[test]
    fn a_circle_of_rooms_is_an_error_that_names_them() {
        let house = house(&[
            ("top", &["a"]),
            ("a", &["below", "b"]),
            ("b", &["c"]),
            ("c", &["a"]),
            ("below", &[]),
        ]);
        let error = house.floors().unwrap_err().to_string();
        assert!(error.contains("a → b → c → a"), "{error}");
    }
}
