//! `--watch`: what is built from a file that changes is built again, by a new process of `cargo xtask`, which is itself built again where it
//! changed.

use crate::page::site::Served;
use crate::place;
use anyhow::{Context, Result};
use notify::{Event, RecursiveMode, Watcher};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;
use xshell::{Shell, cmd};

/// Where sources lie, from the workspace.
const SOURCES: [&str; 6] = [
    "Cargo.toml",
    "umem-core",
    "web",
    "native-runner/src",
    "static",
    "docs",
];

/// What is written into folders of sources by building, or by installing what builds.
const PRODUCTS: [&str; 12] = [
    "static/pkg",
    "static/element",
    "static/plan",
    "static/book",
    "static/build.json",
    "static/index.html",
    "static/app.js",
    "static/cases.json",
    "static/dialogs.js",
    "static/style.css",
    "static/umem-split.js",
    "node_modules",
];

/// An editor writes a file in several steps, and people save several files at once.
const QUIET: Duration = Duration::from_millis(300);

/// What is built from sources, in this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Product {
    Site,
    Book,
}

impl Product {
    fn build(self, sh: &Shell) -> xshell::Result<()> {
        match self {
            Product::Site => cmd!(sh, "cargo xtask build --profile quick"),
            Product::Book => cmd!(sh, "cargo xtask book"),
        }
        .quiet()
        .run()
    }
}

/// What this file, named from the workspace, becomes a part of. The book tells what the rules answer, and is made of them as well.
fn products(file: &Path) -> &'static [Product] {
    let is_product = |product: &str| {
        file.starts_with(product) || file.components().any(|part| part.as_os_str() == product)
    };
    if PRODUCTS.iter().any(|product| is_product(product)) {
        &[]
    } else if file.starts_with("docs/cases") {
        &[Product::Site, Product::Book]
    } else if file.starts_with("docs") || file.starts_with("native-runner") {
        &[Product::Book]
    } else if file.starts_with("umem-core") || file.starts_with("Cargo.toml") {
        &[Product::Site, Product::Book]
    } else {
        &[Product::Site]
    }
}

/// Builds what changes, for ever, and has browsers load it.
pub fn watch(sh: &Shell, served: &Served) -> Result<()> {
    let (sender, changes) = channel();
    let mut watcher = notify::recommended_watcher(sender).context("cannot watch files")?;
    for source in SOURCES {
        let path = place::workspace().join(source);
        watcher
            .watch(&path, RecursiveMode::Recursive)
            .with_context(|| format!("cannot watch {}", path.display()))?;
    }
    println!("A file that is saved is built, and the page loads itself again");
    loop {
        for product in changed(&changes)? {
            match product.build(sh) {
                Ok(()) => served.changed(),
                // The compiler has said why. The page stays as it was until that is mended.
                Err(error) => eprintln!("{error}"),
            }
        }
    }
}

/// Waits until something is to be built.
fn changed(changes: &Receiver<notify::Result<Event>>) -> Result<BTreeSet<Product>> {
    let mut found = BTreeSet::new();
    while found.is_empty() {
        let first = changes.recv().context("the watcher of files ended")?;
        thread::sleep(QUIET);
        // What came while something was built, too.
        for event in [first].into_iter().chain(changes.try_iter()) {
            let event = event.context("cannot watch files")?;
            // Compilers read what they build from.
            let paths = event.paths.iter().filter(|_| !event.kind.is_access());
            let files = paths.filter_map(|path| path.strip_prefix(place::workspace()).ok());
            found.extend(files.flat_map(products));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::{Product, products};
    use std::path::Path;

    #[test]
    fn what_is_built_is_no_source() {
        let of = |file| products(Path::new(file)).len();
        assert_eq!(of("static/pkg/web_bg.wasm"), 0);
        assert_eq!(of("static/book/index.html"), 0);
        assert_eq!(of("web/e2e/node_modules/axe-core/axe.js"), 0);
        assert_eq!(of("umem-core/src/lib.rs"), 2);
        assert_eq!(of("static/cases.json"), 0);
        assert_eq!(of("docs/cases/mana-2m.json"), 2);
        assert!(products(Path::new("static/story.json")) == [Product::Site]);
        assert!(products(Path::new("docs/src/mail.md")) == [Product::Book]);
    }
}
