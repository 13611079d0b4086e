//! What is compiled for the machine that all this runs on.

/// All of it, in cargo's words. Features are those that all of it wants together, and umem-core's are all that it has, so that whoever builds,
/// lints, documents or tests one program of it with these words compiles nothing anew; `-p` alone would have the rules and what they depend
/// on compiled once more for each package.
pub const NATIVE: &[&str] = &[
    "--workspace",
    "--exclude",
    "web",
    "--exclude",
    "gloo",
    "--exclude",
    "umem-fuzz",
    "--features",
    "umem-core/schema",
];
