//! From a kernel's name to what it says about its rules.

use super::{
    CHANGES, Certainty, Change, Kernel, KernelRules, Release,
    changes::{ChangeSet, changes_in},
    debian,
};
use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};

/// Why a text does not name a kernel with known rules.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotAKernel {
    /// It does not begin with a release.
    #[error(
        "is not a kernel's name: give a release (6.12.117) or what `uname -r` prints (6.8.0-84-generic)"
    )]
    NoRelease,
    /// It is older than 5.2, which brought the rules.
    #[error(
        "is older than 5.2, which brought ib_umem_find_best_pgsz(): older rules are not modelled"
    )]
    TooOld,
    /// No release has this number.
    #[error("is no release: after {last} came {}.0", .last.major + 1)]
    NoSuchRelease {
        /// The last release of its major number.
        last: Release,
    },
}

/// `uname` returns at most 64 bytes, and a line of `/proc/version` about 200.
const LONGEST: usize = 256;
/// The first release with the rules.
const OLDEST: Release = Release::new(5, 2, 0);
/// The newest series that was read.
const NEWEST: (u16, u16) = (7, 3);
/// The last series of each major number.
const LAST: [(u16, u16); 2] = [(5, 19), (6, 19)];
/// The ends of the names of Debian's kernels, after the number of the ABI.
const DEBIAN_FLAVOURS: [&str; 14] = [
    "amd64",
    "cloud-amd64",
    "rt-amd64",
    "arm64",
    "cloud-arm64",
    "rt-arm64",
    "686",
    "686-pae",
    "rt-686-pae",
    "armmp",
    "armmp-lpae",
    "powerpc64le",
    "s390x",
    "riscv64",
];

impl Kernel {
    /// The kernel of that name: a release ("6.12.117"), what `uname -r` prints ("6.8.0-84-generic"), Debian's `uname -v` ("#1 SMP …
    /// Debian 6.1.192-1 (2026-…)"), or Ubuntu's `/proc/version_signature` ("Ubuntu 6.8.0-84.84-generic 6.8.12").
    ///
    /// # Errors
    /// A text that names no kernel, or one that is not modelled.
    pub fn named(name: &str) -> Result<Self, NotAKernel> {
        let name = name.trim();
        if name.len() > LONGEST {
            return Err(NotAKernel::NoRelease);
        }
        let text = name.strip_prefix("Linux ").unwrap_or(name);
        if let Some(debian) = last(text, "Debian ") {
            let (release, rest) = leading_release(debian)?;
            return match rest.strip_prefix('-') {
                Some(_) => Self::exact(name, release),
                None => Self::unfinished(name, release),
            };
        }
        if let Some(signature) = text.strip_prefix("Ubuntu ") {
            let upstream = signature.rsplit(' ').next().unwrap_or_default();
            let (release, _) = leading_release(upstream)?;
            return Self::vendor(name, release, "Ubuntu's");
        }
        let (release, rest) = leading_release(text)?;
        if rest.is_empty() {
            return Self::exact(name, release);
        }
        if rest.starts_with("-rc") || rest.starts_with("~rc") {
            return Self::unfinished(name, release);
        }
        // "6.12.117+deb13-amd64"; "6.12+deb13-amd64" does not tell which 6.12 it is.
        if rest.starts_with("+deb") && text.matches('.').count() == 2 {
            return Self::exact(name, release);
        }
        if let Some(abi) = debian_abi(rest).filter(|_| release.patch == 0) {
            return Self::debian(name, release, abi);
        }
        for (mark, years) in [(".el8", "RHEL 8"), (".el9", "RHEL 9"), (".el10", "RHEL 10")] {
            if last(rest, mark).is_some() {
                return Ok(Self::red_hat(name, release, rest, years));
            }
        }
        let whose = match rest {
            _ if rest.ends_with("-generic") || rest.ends_with("-lowlatency") => "Ubuntu's",
            _ if last(rest, ".fc").is_some() => "Fedora's",
            _ if last(rest, ".amzn").is_some() => "Amazon Linux's",
            _ if last(rest, "-microsoft-").is_some() => "Microsoft's",
            _ if rest.starts_with("+deb") => "Debian's",
            _ => "a vendor's or self-built",
        };
        Self::vendor(name, release, whose)
    }

    fn checked(release: Release) -> Result<Release, NotAKernel> {
        let beyond = |last: &&(u16, u16)| last.0 == release.major && last.1 < release.minor;
        match LAST.iter().find(beyond) {
            Some(&(major, minor)) => Err(NotAKernel::NoSuchRelease {
                last: Release::new(major, minor, 0),
            }),
            None if release < OLDEST => Err(NotAKernel::TooOld),
            None => Ok(release),
        }
    }

    /// A kernel that has the changes `has`, and may have those that `may` accepts.
    fn with(
        name: &str,
        release: Release,
        has: ChangeSet,
        may: impl Fn(&Change) -> bool,
        certainty: Certainty,
        settle: &'static str,
    ) -> Self {
        let rules = KernelRules::with(has);
        let changes_answers = |change: &&Change| {
            has & change.bit() == 0
                && may(change)
                && !KernelRules::with(has | change.bit())
                    .differs(&rules)
                    .is_empty()
        };
        let open: Vec<_> = CHANGES.iter().filter(changes_answers).collect();
        Self {
            name: name.to_owned(),
            release: Some(release),
            rules,
            certainty: match certainty {
                Certainty::Exact if !open.is_empty() => Certainty::Unknown,
                certainty => certainty,
            },
            open,
            about: String::new(),
            settle,
            has,
            asked_for: None,
        }
    }

    fn about(self, about: String) -> Self {
        Self { about, ..self }
    }

    /// A release of kernel.org, or a kernel with this code unpatched.
    fn exact(name: &str, release: Release) -> Result<Self, NotAKernel> {
        let release = Self::checked(release)?;
        let is_read = release.series() <= NEWEST;
        let this = Self::with(
            name,
            release,
            changes_in(release),
            |change| change.since.is_unknown_in(release),
            if is_read {
                Certainty::Exact
            } else {
                Certainty::Unknown
            },
            "look for the title in the changelog of its series",
        );
        let (major, minor) = NEWEST;
        Ok(this.about(if is_read {
            format!("Linux {release} has the rules of")
        } else {
            format!(
                "Linux {release} is newer than {major}.{minor}, the newest whose rules were read; planned with those of"
            )
        }))
    }

    /// A release candidate.
    fn unfinished(name: &str, release: Release) -> Result<Self, NotAKernel> {
        let release = Self::checked(release)?;
        let is_new = |change: &Change| change.since.mainline() == release;
        let new = CHANGES.iter().filter(|change| is_new(change));
        let has = changes_in(release) & !new.fold(0, |set, change| set | change.bit());
        let this = Self::with(
            name,
            release,
            has,
            is_new,
            Certainty::Exact,
            "look for the commit in its history",
        );
        Ok(this.about(format!("{name} is a release candidate with the rules of")))
    }

    /// "6.1.0-50-amd64".
    fn debian(name: &str, series: Release, abi: u16) -> Result<Self, NotAKernel> {
        const SETTLE: &str = "`uname -v` names its release (\"Debian 6.1.192-1\"), so give that";
        let (oldest, newest) = match debian::releases(series.major, series.minor, abi) {
            Some(known) => known,
            None => (series, Release::new(series.major, series.minor, u16::MAX)),
        };
        let oldest = Self::checked(oldest)?;
        let this = Self::with(
            name,
            oldest,
            changes_in(oldest),
            |change| change.since.is_in(newest) || change.since.is_unknown_in(newest),
            Certainty::Exact,
            SETTLE,
        );
        let span = match newest.patch {
            patch if patch == oldest.patch => format!("{oldest}"),
            u16::MAX => format!("some {}.{}", series.major, series.minor),
            _ => format!("{oldest} to {newest}"),
        };
        Ok(this.about(format!("{name} is Debian's {span}, with the rules of")))
    }

    /// A kernel that is based on `release`, with whatever else its vendor backported.
    fn vendor(name: &str, release: Release, whose: &str) -> Result<Self, NotAKernel> {
        let release = Self::checked(release)?;
        let this = Self::with(
            name,
            release,
            changes_in(release),
            |_| true,
            Certainty::Vendor,
            SETTLE_VENDOR,
        );
        Ok(this.about(format!(
            "{name} is {whose} kernel, based on Linux {release}; planned with the rules of"
        )))
    }

    /// A kernel of Red Hat or its rebuilds: its RDMA code comes from another release than its name says.
    fn red_hat(name: &str, base: Release, rest: &str, edition: &str) -> Self {
        // Read: umem.c of 6.12.0-124.28.1.el10_1.
        let has_contiguity = ["el10_1", "el10_2", "el10_3"]
            .iter()
            .any(|minor| last(rest, minor).is_some());
        let base = base.max(OLDEST);
        let read = CHANGES
            .iter()
            .filter(|change| has_contiguity && change.commit == CONTIGUITY)
            .fold(0, |set, change| set | change.bit());
        let this = Self::with(
            name,
            base,
            changes_in(base) | read,
            |_| true,
            Certainty::Vendor,
            SETTLE_VENDOR,
        );
        let source = if has_contiguity {
            " (in 6.12.0-124.28.1.el10_1, whose source was read, contiguous SG entries count as one)"
        } else {
            ""
        };
        this.about(format!(
            "{name} is a kernel of {edition}, whose RDMA code is rebased to a later release with each minor one, so its number does not say \
             which rules of 5.2 to 7.2 it has{source}; planned with the rules of"
        ))
    }
}

/// "Fix best page size finding when it can cross SG entries".
const CONTIGUITY: &str = "486055f5e09d";

const SETTLE_VENDOR: &str =
    "`umem check` on that machine settles it, and so does the changelog of its package";

/// The two or three numbers at the start of a name, and what follows them. A fourth number belongs to what follows.
fn leading_release(text: &str) -> Result<(Release, &str), NotAKernel> {
    let mut end = 0;
    for part in 0..3 {
        let digits = text[end..]
            .strip_prefix('.')
            .filter(|_| part > 0)
            .map_or_else(|| (part == 0).then_some(0), |_| Some(1));
        let Some(from) = digits.map(|point| end + point) else {
            break;
        };
        let count = text[from..].bytes().take_while(u8::is_ascii_digit).count();
        if count == 0 {
            break;
        }
        end = from + count;
    }
    let release = text[..end].parse().map_err(|_| NotAKernel::NoRelease)?;
    Ok((release, &text[end..]))
}

/// 50 in "-50-amd64" and in "-0.deb11.50-amd64".
fn debian_abi(rest: &str) -> Option<u16> {
    let (abi, flavour) = rest.strip_prefix('-')?.split_once('-')?;
    let number = match abi.strip_prefix("0.deb") {
        Some(backport) => backport.split_once('.')?.1,
        None => abi,
    };
    DEBIAN_FLAVOURS
        .contains(&flavour)
        .then(|| number.to_string().parse().ok())?
}

/// What follows the last `mark` in `text`. Names are short, and the library's search through long texts is 3 KB of code.
fn last<'t>(text: &'t str, mark: &str) -> Option<&'t str> {
    let mut starts = text.char_indices().rev();
    starts.find_map(|(at, _)| text[at..].strip_prefix(mark))
}
