//! Compiled code and JavaScript, bound to each other: what wasm-pack does, without wasm-pack, which takes minutes to install.

use anyhow::Result;
use std::path::{Path, PathBuf};
use wasm_bindgen_cli_support::Bindgen;

/// Writes `name.js` and `name_bg.wasm` into `folder`.
pub fn bind(code: &Path, folder: &Path, name: &str, apart: bool) -> Result<()> {
    let code = if apart {
        taken_apart(code, folder, name)?
    } else {
        code.to_owned()
    };
    Bindgen::new()
        .input_path(code)
        // What is apart shares the table of functions.
        .keep_lld_exports(apart)
        .out_name(name)
        .web(true)?
        .typescript(false)
        // The JavaScript finds the code beside itself.
        .omit_default_module_path(false)
        .generate(folder)
}

#[cfg(feature = "apart")]
fn taken_apart(code: &Path, folder: &Path, name: &str) -> Result<PathBuf> {
    crate::split::split(code, folder, &format!("{name}.js"))
}

#[cfg(not(feature = "apart"))]
fn taken_apart(_: &Path, _: &Path, _: &str) -> Result<PathBuf> {
    anyhow::bail!("this packer takes nothing apart: it was compiled without its feature `apart`")
}
