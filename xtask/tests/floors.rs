//! The page's modules stand on floors: each uses only those below it, as the table in `web/src/lib.rs` lists them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The modules of `web/src`, in the order of the table in its documentation.
fn floors(documentation: &str) -> Vec<&str> {
    let rows = documentation
        .lines()
        .filter_map(|line| line.strip_prefix("//! | "));
    rows.filter_map(|row| {
        let name = row.split(" | ").next()?;
        name.trim_matches(['[', ']', '`']).split('`').next()
    })
    .filter(|name| !matches!(*name, "module" | ""))
    .collect()
}

/// Every Rust file of a module: its own, and those in its folder.
fn sources(root: &Path, module: &str) -> Vec<String> {
    let mut all = vec![fs::read_to_string(root.join(format!("{module}.rs"))).unwrap()];
    let mut folders = vec![root.join(module)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => all.push(fs::read_to_string(path).unwrap()),
            }
        }
    }
    all
}

/// The modules of the crate that a source names: `crate::name`, and what is in the braces of `crate::{…}`.
fn used(source: &str) -> Vec<String> {
    let mut names = Vec::new();
    for part in source.split("crate::").skip(1) {
        let Some(list) = part.strip_prefix('{') else {
            names.push(word(part));
            continue;
        };
        let mut depth = 0;
        let mut start = true;
        for (i, letter) in list.char_indices() {
            match letter {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => start = true,
                letter if start && letter.is_alphabetic() => {
                    names.push(word(&list[i..]));
                    start = false;
                }
                _ => {}
            }
        }
    }
    names
}

fn word(text: &str) -> String {
    text.chars()
        .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
        .collect()
}

#[test]
fn no_module_of_the_page_uses_one_above_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/src");
    let documentation = fs::read_to_string(root.join("lib.rs")).unwrap();
    let floors = floors(&documentation);
    let declared: Vec<_> = documentation
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod "))
        .map(|line| line.trim_end_matches(';'))
        .collect();
    for module in &declared {
        assert!(floors.contains(module), "the table lacks {module}");
    }
    let place: BTreeMap<_, _> = floors.iter().zip(0..).collect();
    for module in &floors {
        for source in sources(&root, module) {
            for name in used(&source) {
                let Some(there) = place.get(&&*name) else {
                    continue;
                };
                assert!(
                    *there <= place[module],
                    "{module} uses {name}, which stands above it"
                );
            }
        }
    }
}

#[test]
fn uses_are_found_in_braces_and_without() {
    let source =
        "use crate::{\n    edit,\n    link::{self, Asked},\n};\nfn f() { crate::words::place(x) }";
    assert_eq!(used(source), ["edit", "link", "words"]);
}
