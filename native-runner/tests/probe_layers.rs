//! The kernel module's files form floors: each calls only those below it.

use std::{collections::BTreeMap, fs, path::Path};

/// The files from the top to the bottom, as the module's Makefile links them.
fn floors(folder: &Path) -> Vec<String> {
    let makefile = fs::read_to_string(folder.join("Makefile")).unwrap();
    let objects = makefile
        .lines()
        .find_map(|line| line.strip_prefix("umem_probe-y := "));
    let objects = objects.expect("the Makefile lists the objects");
    objects
        .split_whitespace()
        .map(|object| object.replace(".o", ".c"))
        .collect()
}

/// The functions of the module's own that are called in, or defined by, a line: `probe_…(`.
fn functions(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("probe_").filter_map(|(at, _)| {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if line[..at].bytes().next_back().is_some_and(is_word) {
            return None;
        }
        let length = line[at..].bytes().take_while(|byte| is_word(*byte)).count();
        let name = &line[at..at + length];
        line[at + length..].starts_with('(').then_some(name)
    })
}

#[test]
fn each_file_of_the_module_calls_only_those_below_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("probe");
    let floors = floors(&folder);
    let sources: Vec<String> = floors
        .iter()
        .map(|file| fs::read_to_string(folder.join(file)).unwrap())
        .collect();
    // A definition begins in the first column and, unlike a declaration, does not end with a semicolon.
    let mut defined = BTreeMap::new();
    for (floor, source) in sources.iter().enumerate() {
        for line in source.lines() {
            let begins = line.starts_with(|c: char| c.is_ascii_lowercase());
            if begins && !line.ends_with(';') {
                for name in functions(line) {
                    defined.insert(name, floor);
                }
            }
        }
    }
    let mut calls = 0;
    for (floor, source) in sources.iter().enumerate() {
        for line in source.lines().filter(|line| line.starts_with('\t')) {
            for name in functions(line) {
                let Some(&below) = defined.get(name) else {
                    continue;
                };
                calls += 1;
                assert!(
                    floor <= below,
                    "{} calls {name}() of {}, which lies above it",
                    floors[floor],
                    floors[below]
                );
            }
        }
    }
    assert!(
        defined.len() > 20 && calls > 40,
        "{} functions, {calls} calls",
        defined.len()
    );
    let listed = fs::read_dir(&folder).unwrap().flatten();
    let files = listed.filter(|file| file.path().extension().is_some_and(|end| end == "c"));
    assert_eq!(files.count(), floors.len(), "every file has its floor");
}
