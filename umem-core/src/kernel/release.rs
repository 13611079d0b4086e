//! Releases of Linux, and since when each has something.

use core::{fmt, str::FromStr};

/// A release of kernel.org: 6.12.117. The first of a series, 6.12, has the patch number 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Release {
    /// 6 in 6.12.117.
    pub major: u16,
    /// 12 in 6.12.117.
    pub minor: u16,
    /// 117 in 6.12.117.
    pub patch: u16,
}

impl Release {
    /// The release `major.minor.patch`.
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self {
            major,
            minor,
            patch,
        }
    }

    /// The series that it belongs to: (6, 12).
    pub const fn series(self) -> (u16, u16) {
        (self.major, self.minor)
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            major,
            minor,
            patch,
        } = self;
        write!(f, "{major}.{minor}")?;
        match patch {
            0 => Ok(()),
            patch => write!(f, ".{patch}"),
        }
    }
}

/// A text is not two or three numbers with points between them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("is not a release of Linux, such as 6.12 or 6.12.117")]
pub struct NotARelease;

impl FromStr for Release {
    type Err = NotARelease;

    fn from_str(text: &str) -> Result<Self, NotARelease> {
        let mut numbers = text.split('.').map(number);
        let mut next = || numbers.next();
        match (next(), next(), next(), next()) {
            (Some(Some(major)), Some(Some(minor)), None, _) => Ok(Self::new(major, minor, 0)),
            (Some(Some(major)), Some(Some(minor)), Some(Some(patch)), None) => {
                Ok(Self::new(major, minor, patch))
            }
            _ => Err(NotARelease),
        }
    }
}

/// Digits alone: no sign, unlike `u16::from_str()`.
fn number(text: &str) -> Option<u16> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

/// Since when Linux has something: the first mainline release that has it, and the first point release of each older stable series
/// that took it up.
///
/// ```
/// use umem_core::kernel::{Release, Since};
/// const CONTIGUITY: Since = Since::new(6, 15).stable(&[Release::new(6, 12, 31)]);
/// assert!(!CONTIGUITY.is_in("6.12.30".parse()?));
/// assert!(CONTIGUITY.is_in("6.12.31".parse()?));
/// assert!(!CONTIGUITY.is_in("6.13.12".parse()?)); // a series that ended before
/// assert!(CONTIGUITY.is_in("6.15".parse()?));
/// # Ok::<(), umem_core::kernel::NotARelease>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Since {
    mainline: (u16, u16),
    stable: &'static [Release],
    unknown: &'static [Release],
}

impl Since {
    /// Since the mainline release `major.minor`, and in no older series.
    pub const fn new(major: u16, minor: u16) -> Self {
        Self {
            mainline: (major, minor),
            stable: &[],
            unknown: &[],
        }
    }

    /// The same, and since these point releases of older series.
    pub const fn stable(self, stable: &'static [Release]) -> Self {
        Self { stable, ..self }
    }

    /// The same; whether these point releases and later ones of their series have it is not known.
    pub const fn unknown(self, unknown: &'static [Release]) -> Self {
        Self { unknown, ..self }
    }

    /// The first mainline release that has it.
    pub const fn mainline(&self) -> Release {
        Release::new(self.mainline.0, self.mainline.1, 0)
    }

    /// Whether `release` is known to have it.
    pub fn is_in(&self, release: Release) -> bool {
        release.series() >= self.mainline || reaches(self.stable, release)
    }

    /// Whether it is not known if `release` has it.
    pub fn is_unknown_in(&self, release: Release) -> bool {
        !self.is_in(release) && reaches(self.unknown, release)
    }

    /// The first release after `release` in which it is: of the same series if it was backported there, else the first mainline release.
    pub fn first_after(&self, release: Release) -> Release {
        self.stable
            .iter()
            .find(|first| first.series() == release.series())
            .copied()
            .unwrap_or(self.mainline())
    }
}

/// Whether `release` is one of `firsts`, or a later one of the same series.
fn reaches(firsts: &[Release], release: Release) -> bool {
    firsts
        .iter()
        .any(|first| first.series() == release.series() && release.patch >= first.patch)
}

impl fmt::Display for Since {
    /// "6.15 (also 6.12.31, 6.1.141)".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.mainline())?;
        for (i, release) in self.stable.iter().enumerate() {
            write!(f, "{}{release}", if i == 0 { " (also " } else { ", " })?;
        }
        match self.stable {
            [] => Ok(()),
            _ => f.write_str(")"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_release_reads_as_it_prints() {
        for text in ["5.2", "6.12", "6.12.117", "10.0.1"] {
            assert_eq!(text.parse::<Release>().unwrap().to_string(), text);
        }
        assert_eq!("6.12.0".parse(), Ok(Release::new(6, 12, 0)));
        for text in [
            "", "6", "6.", ".6", "6.12.", "6.+1", "6.1.2.3", "6.1-rc1", "6.70000",
        ] {
            assert_eq!(text.parse::<Release>(), Err(NotARelease), "{text}");
        }
    }

    #[test]
    fn each_series_takes_a_change_up_by_itself() {
        const SINCE: Since = Since::new(7, 2)
            .stable(&[Release::new(6, 12, 111), Release::new(6, 1, 189)])
            .unknown(&[Release::new(7, 1, 1)]);
        for (release, is_in, unknown) in [
            ("6.1.188", false, false),
            ("6.1.189", true, false),
            ("6.6.200", false, false),
            ("6.12.110", false, false),
            ("6.12.111", true, false),
            ("7.1", false, false),
            ("7.1.1", false, true),
            ("7.2", true, false),
            ("8.0", true, false),
        ] {
            let release: Release = release.parse().unwrap();
            assert_eq!(SINCE.is_in(release), is_in, "{release}");
            assert_eq!(SINCE.is_unknown_in(release), unknown, "{release}");
        }
        assert_eq!(SINCE.to_string(), "7.2 (also 6.12.111, 6.1.189)");
        assert_eq!(
            SINCE.first_after(Release::new(6, 1, 3)).to_string(),
            "6.1.189"
        );
        assert_eq!(SINCE.first_after(Release::new(6, 6, 3)).to_string(), "7.2");
    }
}
