//! A kernel as people name it, and what its name says about its rules.

use super::{
    BlockIterator, CHANGES, Change, GENERATIONS, KernelRules, Release, SmallPages, debian,
};
use crate::{
    iommu::MapError,
    size::{PageSize, PageSizes},
    table::KernelBug,
};
use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

/// A kernel by its name, the rules to plan with, and how much the name says about them.
///
/// ```
/// use umem_core::kernel::{Certainty, Kernel};
/// let debian = Kernel::named("6.12.117+deb13-amd64")?;
/// assert_eq!((debian.rules.name, debian.certainty), ("7.2", Certainty::Exact));
/// let ubuntu = Kernel::named("6.8.0-84-generic")?;
/// assert_eq!((ubuntu.rules.name, ubuntu.certainty), ("6.7", Certainty::Vendor));
/// let possible: Vec<_> = ubuntu.possible().iter().map(|rules| rules.name).collect();
/// assert_eq!(possible, ["6.7", "6.15", "7.2"]);
/// # Ok::<(), umem_core::kernel::NotAKernel>(())
/// ```
#[derive(Clone, Debug)]
pub struct Kernel {
    /// As it was named: "6.8.0-84-generic", or a generation's name.
    pub name: String,
    /// The release of kernel.org that it is, or is based on; `None` for a [generation](GENERATIONS), which means the rules alone.
    pub release: Option<Release>,
    /// The rules to plan with: those that it has for sure.
    pub rules: KernelRules,
    /// How much the name says.
    pub certainty: Certainty,
    /// The changes that it may have or not, in the order of mainline.
    pub open: Vec<&'static Change>,
    /// What it is, in words.
    about: String,
    /// How to find out what is open.
    settle: &'static str,
    /// The changes that it has for sure.
    has: ChangeSet,
}

/// Changes, a bit for each of [`CHANGES`].
pub(super) type ChangeSet = u32;

/// How much a kernel's name says about its rules.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Certainty {
    /// All of them: a release of kernel.org or Debian.
    Exact,
    /// Those of the release that it is based on; its vendor may have taken up any later change.
    Vendor,
    /// Not all of them: the text says why.
    Unknown,
}

impl Certainty {
    /// Its name in registrations.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Vendor => "vendor",
            Self::Unknown => "unknown",
        }
    }
}

/// Why a text names no kernel whose rules are here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum NotAKernel {
    /// It does not begin with a release.
    NoRelease,
    /// It is older than 5.2, which brought the rules.
    TooOld,
    /// No release has this number.
    NoSuchRelease {
        /// The last release of its major number.
        last: Release,
    },
}

impl fmt::Display for NotAKernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRelease => f.write_str(
                "is not a kernel's name: give a release (6.12.117) or what `uname -r` prints (6.8.0-84-generic)",
            ),
            Self::TooOld => f.write_str(
                "is older than 5.2, which brought ib_umem_find_best_pgsz(): older rules are not modelled",
            ),
            Self::NoSuchRelease { last } => write!(
                f,
                "is no release: after {last} came {}.0",
                last.major + 1
            ),
        }
    }
}

impl core::error::Error for NotAKernel {}

/// The first release with the rules.
const OLDEST: Release = Release::new(5, 2, 0);
/// The newest series whose sources were read.
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
    /// A kernel with exactly the rules of a generation, and any drivers.
    pub fn generation(rules: &KernelRules) -> Self {
        Self {
            name: rules.name.to_owned(),
            release: None,
            rules: *rules,
            certainty: Certainty::Exact,
            open: Vec::new(),
            about: format!("the rules of mainline Linux {}, as released", rules.name),
            settle: "",
            has: 0,
        }
    }

    /// The kernel of that name: a release ("6.12.117"), what `uname -r` prints ("6.8.0-84-generic"), Debian's `uname -v` ("#1 SMP …
    /// Debian 6.1.192-1 (2026-…)"), or Ubuntu's `/proc/version_signature` ("Ubuntu 6.8.0-84.84-generic 6.8.12").
    ///
    /// # Errors
    /// A text that names no kernel, or one that is not modelled.
    pub fn named(name: &str) -> Result<Self, NotAKernel> {
        let name = name.trim();
        let text = name.strip_prefix("Linux ").unwrap_or(name);
        if let Some((_, debian)) = text.rsplit_once("Debian ") {
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
            if rest.contains(mark) {
                return Ok(Self::red_hat(name, release, rest, years));
            }
        }
        let whose = match rest {
            _ if rest.ends_with("-generic") || rest.ends_with("-lowlatency") => "Ubuntu's",
            _ if rest.contains(".fc") => "Fedora's",
            _ if rest.contains(".amzn") => "Amazon Linux's",
            _ if rest.contains("-microsoft-") => "Microsoft's",
            _ if rest.starts_with("+deb") => "Debian's",
            _ => "somebody's own",
        };
        Self::vendor(name, release, whose)
    }

    /// What is known of it, in words.
    pub fn text(&self) -> String {
        let mut text = self.about.clone();
        if !self.open.is_empty() {
            text.push_str("; it may have ");
            for (i, change) in self.open.iter().enumerate() {
                text.push_str(if i == 0 { "" } else { ", " });
                if !change.commit.is_empty() {
                    text.push_str(change.commit);
                    text.push(' ');
                }
                text.push_str(&format!(
                    "\"{}\" ({})",
                    change.title,
                    change.since.mainline()
                ));
            }
            text.push_str(", or not: ");
            text.push_str(self.settle);
        }
        text
    }

    /// What the rules may be: those to plan with, then each time with one more of the changes that it may have.
    pub fn possible(&self) -> Vec<KernelRules> {
        let mut possible = alloc::vec![self.rules];
        let mut has = self.has;
        for change in &self.open {
            has |= change.bit();
            let rules = KernelRules::with(has);
            if !rules.differs(&possible[possible.len() - 1]).is_empty() {
                possible.push(rules);
            }
        }
        possible
    }

    /// What the kernel gets wrong after `error`.
    pub(crate) fn bug_after(&self, error: MapError) -> Option<KernelBug> {
        let fix = CHANGES.iter().find(|change| change.commit == PAD)?;
        let left = matches!(error, MapError::PadOverflow { .. }) && !self.rules.pad_checked;
        left.then(|| KernelBug::LeftBehind {
            kernel: self.name.clone(),
            known: self.certainty != Certainty::Vendor
                && !self
                    .release
                    .is_some_and(|release| fix.since.is_unknown_in(release)),
            fix,
        })
    }

    /// The same kernel, asked for a device of `sizes` on kernel pages of `page`: what such a device cannot meet is no longer open.
    ///
    /// A device without sizes below the kernel's page never meets the rules about them, nor whether blocks are counted.
    pub fn asked_for(mut self, sizes: PageSizes, page: PageSize) -> Self {
        // Of 4G and more, blocks that nobody counts may never end.
        let is_met = |size: PageSize| size < page || size.log2() >= 32;
        if sizes.iter().any(is_met) {
            return self;
        }
        let met = |mut rules: KernelRules| {
            if sizes.contains(page) || rules.small_pages == SmallPages::SmallerIgnored {
                rules.small_pages = SmallPages::Any;
            }
            // Property: `counted_or_not_the_blocks_are_the_same`.
            if rules.iterator == BlockIterator::EachEntryStep32 {
                rules.iterator = BlockIterator::EachEntryCounted32;
            }
            rules
        };
        let rules = met(self.rules);
        let has = self.has;
        let had_open = !self.open.is_empty();
        self.open.retain(|change| {
            !met(KernelRules::with(has | change.bit()))
                .differs(&rules)
                .is_empty()
        });
        if had_open && self.open.is_empty() && self.certainty == Certainty::Unknown {
            self.certainty = Certainty::Exact;
        }
        self
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

    /// A kernel that has the changes `has`, and may have those for which `may` says yes.
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
        }
    }

    fn about(self, about: String) -> Self {
        Self { about, ..self }
    }

    /// A release of kernel.org, or a kernel whose vendor patches none of this code.
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
        let (rules, (major, minor)) = (this.rules, NEWEST);
        Ok(this.about(if is_read {
            format!("Linux {release} has the rules of {rules}")
        } else {
            format!(
                "Linux {release} is newer than {major}.{minor}, the newest whose rules were read; planned with those of {rules}"
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
        let rules = this.rules;
        Ok(this.about(format!(
            "{name} is a release candidate with the rules of {rules}"
        )))
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
        let rules = this.rules;
        let span = match newest.patch {
            patch if patch == oldest.patch => format!("{oldest}"),
            u16::MAX => format!("some {}.{}", series.major, series.minor),
            _ => format!("{oldest} to {newest}"),
        };
        Ok(this.about(format!(
            "{name} is Debian's {span}, with the rules of {rules}"
        )))
    }

    /// A kernel that is based on `release`, and has whatever else its vendor took up.
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
        let rules = this.rules;
        Ok(this.about(format!(
            "{name} is {whose} kernel, based on Linux {release}; planned with the rules of {rules}"
        )))
    }

    /// A kernel of Red Hat or its rebuilds, whose RDMA code comes from another release than its name says.
    fn red_hat(name: &str, base: Release, rest: &str, edition: &str) -> Self {
        // Read: umem.c of 6.12.0-124.28.1.el10_1.
        let has_contiguity = ["el10_1", "el10_2", "el10_3"]
            .iter()
            .any(|minor| rest.contains(minor));
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
        let rules = this.rules;
        let source = if has_contiguity {
            " (in 6.12.0-124.28.1.el10_1, whose source was read, contiguous SG entries count as one)"
        } else {
            ""
        };
        this.about(format!(
            "{name} is a kernel of {edition}, whose RDMA code is rebased to a later release with each minor one, so its number does not say \
             which rules of 5.2 to 7.2 it has{source}; planned with the rules of {rules}"
        ))
    }
}

/// "Catch scatterlist length overflows".
const PAD: &str = "1c8f6308e557";
/// "Fix best page size finding when it can cross SG entries".
const CONTIGUITY: &str = "486055f5e09d";

const SETTLE_VENDOR: &str =
    "`umem check` on that machine settles it, and so does the changelog of its package";

/// The changes that `release` is known to have.
fn changes_in(release: Release) -> ChangeSet {
    CHANGES
        .iter()
        .filter(|change| change.since.is_in(release))
        .fold(0, |set, change| set | change.bit())
}

impl Change {
    /// The change as a set.
    fn bit(&self) -> ChangeSet {
        CHANGES
            .iter()
            .position(|change| core::ptr::eq(change, self))
            .map_or(0, |number| 1 << number)
    }
}

impl KernelRules {
    /// The rules of a release: those of 5.2, and every [change](CHANGES) that the release is known to have.
    ///
    /// Named after the generation whose answers are the same, else after the one that is most like it: [`differs`](Self::differs)
    /// tells how.
    pub fn of(release: Release) -> Self {
        Self::with(changes_in(release))
    }

    fn with(has: ChangeSet) -> Self {
        let mut rules = GENERATIONS[0];
        for (number, change) in CHANGES.iter().enumerate() {
            if has & (1 << number) != 0 {
                (change.apply)(&mut rules);
            }
        }
        let like = GENERATIONS
            .iter()
            .min_by_key(|generation| rules.differs(generation).len());
        Self {
            name: like.map_or("", |like| like.name),
            about: "",
            ..rules
        }
    }
}

/// The generation whose answers are the same: "7.2"; or the one that is most like it, and how they differ.
impl fmt::Display for KernelRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        let differs = KernelRules::find(self.name).map_or(Vec::new(), |like| self.differs(like));
        for (i, phrase) in differs.iter().enumerate() {
            write!(
                f,
                "{}{phrase}",
                if i == 0 { ", except that " } else { " and " }
            )?;
        }
        Ok(())
    }
}

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
