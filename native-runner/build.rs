//! Says whether the page is there to be embedded.

use std::path::Path;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(umem_page)");
    println!("cargo::rerun-if-changed=../static");
    if Path::new("../static/pkg/web_bg.wasm").exists() {
        println!("cargo::rustc-cfg=umem_page");
    }
}
