//! Where things are: the workspace and its target directory.

use std::path::{Path, PathBuf};

/// The workspace's root: the folder above this crate, wherever the clone lies.
pub fn workspace() -> PathBuf {
    let manifest =
        std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&manifest)
        .parent()
        .expect("xtask lies inside the workspace")
        .to_owned()
}

/// Cargo's target directory: everything that is downloaded or built lives below it.
pub fn target() -> PathBuf {
    workspace().join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}
