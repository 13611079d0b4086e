//! The page's code, taken apart: what everybody loads, and what is loaded when somebody first asks for it.
//!
//! `web/src/door.rs` has the ways from one to the other. Whatever is reached through them alone goes into a file of its own, with its
//! data; both have the same memory. The linker leaves notes of who uses what: `web/build.rs`.

use crate::{APART, LOADER};
use anyhow::{Result, anyhow, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use wasm_split_cli_support::{Options, transform};

/// Takes `code` apart, into the folder `draft`; its JavaScript is to be `glue`. Returns where that is which everybody loads: it has yet
/// to be bound.
pub fn split(code: &Path, draft: &Path, glue: &str) -> Result<PathBuf> {
    let main = code.with_extension("main.wasm");
    let code = fs::read(code)?;
    fs::create_dir_all(draft)?;
    let link = format!("./{LOADER}");
    let glue = format!("./{glue}");
    let mut options = Options::new(&code);
    options.output_dir = draft;
    options.main_out_path = &main;
    options.link_name = &link;
    options.main_module = &glue;
    let made = transform(options)
        .map_err(|error| anyhow!("{error:#}"))?
        .split_modules;
    ensure!(
        made == [draft.join(APART)],
        "the page's code came apart in {made:?}, and not in {APART} alone: `web` has other doors than the packer knows"
    );
    let loader = draft.join(LOADER);
    let text = fs::read_to_string(&loader)?;
    fs::write(&loader, of_this_build(&text)?)?;
    Ok(main)
}

/// The loader, asking for what is apart of its own build: a page never gets another build's files.
fn of_this_build(loader: &str) -> Result<String> {
    let beside = format!("new URL(\"./{APART}\", import.meta.url)");
    ensure!(
        loader.contains(&beside),
        "{LOADER} does not load the {APART} that lies beside it"
    );
    let of_it =
        format!("new URL(\"./{APART}\" + new URL(import.meta.url).search, import.meta.url)");
    Ok(loader.replace(&beside, &of_it))
}

#[cfg(test)]
mod tests {
    use super::of_this_build;

    #[test]
    fn the_loader_asks_for_its_own_build() {
        let loader =
            of_this_build("fetch(new URL(\"./split_more.wasm\", import.meta.url))").unwrap();
        assert_eq!(
            loader,
            "fetch(new URL(\"./split_more.wasm\" + new URL(import.meta.url).search, import.meta.url))"
        );
        let error = of_this_build("fetch(\"split_more.wasm\")")
            .unwrap_err()
            .to_string();
        assert!(error.contains("does not load"), "{error}");
    }
}
