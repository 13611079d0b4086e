//! `cargo xtask house`: the rooms of each crate, and which use which, read from the code. It writes docs/ARCHITECTURE.md, and a test holds
//! that file against the code.
//!
//! A room is a module at a crate's root. Rooms stand on floors: each uses only what is below, unless it is in a circle, which is marked.

use crate::place;
use anyhow::{Context, Result};
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
];

/// Where the drawing is.
fn file() -> PathBuf {
    place::workspace().join("docs/ARCHITECTURE.md")
}

/// Draws it.
pub fn write() -> Result<()> {
    place::renew_file(&file(), drawing()?.as_bytes())
}

fn drawing() -> Result<String> {
    let mut text = String::from(
        "# The house\n\n\
         Written by `cargo xtask house`, from the code: a room is a module at a crate's root, its line the first sentence of its documentation. A\n\
         room uses only rooms of floors below its own, but where it is marked with *: those use each other in a circle, and no change may add to\n\
         them. web and native-runner use umem-core, and do not know each other.\n",
    );
    for (name, root) in CRATES {
        let house = House::read(&place::workspace().join(name).join("src"), root)
            .with_context(|| format!("in {name}"))?;
        writeln!(
            text,
            "\n## {name}\n\n| floor | room | is | uses |\n|--:|---|---|---|"
        )?;
        for (floor, rooms) in house.floors().iter().enumerate().rev() {
            for room in rooms {
                let Room { about, uses } = &house.rooms[*room];
                let uses: Vec<_> = uses.iter().map(|used| format!("`{used}`")).collect();
                let mark = if house.circle(room).len() > 1 {
                    "*"
                } else {
                    ""
                };
                writeln!(
                    text,
                    "| {floor} | `{room}`{mark} | {about} | {} |",
                    uses.join(" ")
                )?;
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

    /// The rooms floor by floor, the lowest first. Rooms that use each other in a circle stand on one floor.
    fn floors(&self) -> Vec<BTreeSet<&str>> {
        let mut floors: Vec<BTreeSet<&str>> = Vec::new();
        let mut placed: BTreeSet<&str> = BTreeSet::new();
        while placed.len() < self.rooms.len() {
            let stands = |name: &str| {
                let below = |used: &&str| placed.contains(used) || self.circle(name).contains(used);
                self.circle(name)
                    .iter()
                    .all(|room| self.used_by(room).all(|used| below(&used)))
            };
            let floor: BTreeSet<&str> = self
                .rooms
                .keys()
                .map(String::as_str)
                .filter(|name| !placed.contains(name) && stands(name))
                .collect();
            placed.extend(floor.iter().copied());
            floors.push(floor);
        }
        floors
    }

    fn used_by(&self, room: &str) -> impl Iterator<Item = &str> {
        self.rooms[room].uses.iter().map(String::as_str)
    }

    /// What a room uses, and what that uses, and so on.
    fn reached(&self, room: &str) -> BTreeSet<&str> {
        let mut reached = BTreeSet::new();
        let mut waiting: Vec<&str> = self.used_by(room).collect();
        while let Some(next) = waiting.pop() {
            if reached.insert(next) {
                waiting.extend(self.used_by(next));
            }
        }
        reached
    }

    /// The room, and those that it uses and that use it.
    fn circle<'h>(&'h self, room: &'h str) -> BTreeSet<&'h str> {
        let reached = self.reached(room);
        let back = |other: &&str| self.reached(other).contains(room);
        let mut circle: BTreeSet<_> = reached.into_iter().filter(back).collect();
        circle.insert(room);
        circle
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
    use std::collections::BTreeMap;

    #[test]
    fn the_drawing_is_of_todays_code() {
        let drawn = std::fs::read_to_string(file()).unwrap_or_default();
        assert!(
            drawn == drawing().unwrap(),
            "docs/ARCHITECTURE.md is old: cargo xtask house"
        );
    }

    #[test]
    fn rooms_of_a_circle_stand_on_one_floor() {
        let room = |uses: &[&str]| Room {
            about: String::new(),
            uses: uses.iter().map(|&used| used.to_owned()).collect(),
        };
        let rooms = [
            ("top", room(&["a"])),
            ("a", room(&["b"])),
            ("b", room(&["a", "below"])),
            ("below", room(&[])),
        ];
        let rooms: BTreeMap<_, _> = rooms
            .into_iter()
            .map(|(name, room)| (name.to_owned(), room))
            .collect();
        let house = House { rooms };
        let floors: Vec<Vec<_>> = house
            .floors()
            .into_iter()
            .map(|floor| floor.into_iter().collect())
            .collect();
        assert_eq!(floors, [vec!["below"], vec!["a", "b"], vec!["top"]]);
        assert_eq!(house.circle("top").len(), 1);
        assert_eq!(house.circle("a").len(), 2);
    }
}
