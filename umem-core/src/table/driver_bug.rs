use crate::kernel::{Release, Since};
use core::fmt;

/// What a driver gets wrong: it makes a table that translates addresses falsely, or refuses a region needlessly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct DriverBug {
    /// The driver.
    pub driver: &'static str,
    /// What goes wrong.
    pub about: &'static str,
    /// The first release without it, if there is one.
    pub mended: Option<Since>,
    /// The kernel's release, if it is known.
    pub release: Option<Release>,
}

impl fmt::Display for DriverBug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; ", self.driver, self.about)?;
        match (&self.mended, self.release) {
            (Some(mended), Some(release)) => {
                write!(f, "mended in Linux {}", mended.first_after(release))
            }
            (Some(mended), None) => write!(f, "mended in Linux {mended}"),
            (None, _) => f.write_str("not mended up to Linux 7.3"),
        }
    }
}
