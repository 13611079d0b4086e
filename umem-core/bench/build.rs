//! Compiles the peers twice: as kernels are compiled, and as well as the compiler can for this machine.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=peers");
    if env::var("CARGO_CFG_TARGET_FAMILY").as_deref() == Ok("wasm") {
        return;
    }
    for (flavour, flags) in [
        ("kernel", &["-O2"][..]),
        ("native", &["-O3", "-march=native"]),
    ] {
        let mut build = cc::Build::new();
        // The flavour's flags and no others: cc adds an -O of its own unless told which.
        build
            .opt_level_str(&flags[0][2..])
            .define("FLAVOUR", flavour)
            .warnings(true)
            .files(["peers/blocks.c", "peers/coalesce.c", "peers/memory.c"]);
        // Where a loop happens to lie is not to decide how fast it is: up to twofold, as measured.
        let aligned = ["-falign-functions=64", "-falign-loops=32"];
        for flag in flags[1..].iter().chain(&aligned) {
            build.flag(flag);
        }
        build.compile(&format!("peers-{flavour}"));
    }
}
