//! What the tests cannot test on this machine: never passed over in silence.

use std::{
    env,
    fmt::Debug,
    io::{self, Write},
};

use crate::missing::Missing;

/// Says that something is not tested here, past the capture of a test's output.
#[expect(
    clippy::disallowed_methods,
    reason = "print! is captured while tests pass"
)]
pub fn because(why: impl Debug) {
    let _ = writeln!(io::stderr(), "NOT TESTED: {why:?}");
}

/// The same, of what root may do: to root and in CI a lack of rights is a failure.
pub fn without_rights(lack: &Missing) {
    let must_be = rustix::process::geteuid().is_root() || env::var_os("CI").is_some();
    assert!(!must_be, "not tested, and here it must be: {lack}");
    because(lack);
}
