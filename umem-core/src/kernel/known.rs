//! A kernel, and what is known of its rules.

use super::{
    BlockIterator, Change, GENERATIONS, Interior, KernelRules, Release, SmallPages,
    changes::ChangeSet,
};
use crate::size::{PageSize, PageSizes};
use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

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
    /// The rules to plan with: those that it certainly has.
    pub rules: KernelRules,
    /// How much the name says.
    pub certainty: Certainty,
    /// The changes that it may have, in the order of mainline.
    pub open: Vec<&'static Change>,
    /// What it is, in words, up to the name of its rules.
    pub(super) about: String,
    /// How to find out what is open.
    pub(super) settle: &'static str,
    /// The changes that it certainly has.
    pub(super) has: ChangeSet,
    /// The device's page sizes, and the kernel's page, if the device is known.
    pub(super) asked_for: Option<(PageSizes, PageSize)>,
}

/// How much a kernel's name says about its rules.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Certainty {
    /// All of them: a release of kernel.org or Debian.
    Exact,
    /// Those of the release that it is based on; its vendor may have backported any later change.
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
            asked_for: None,
        }
    }

    /// What it is and which rules it is planned with, in words.
    pub fn in_short(&self) -> String {
        match self.release {
            Some(_) => format!("{} {}", self.about, self.rules),
            None => self.about.clone(),
        }
    }

    /// What is known about it, in words: the same, what is open, and what would settle it.
    pub fn text(&self) -> String {
        let mut text = self.in_short();
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
            let rules = self.met(KernelRules::with(has));
            if !rules.differs(&possible[possible.len() - 1]).is_empty() {
                possible.push(rules);
            }
        }
        possible
    }

    /// The same kernel, for a device of `sizes` on kernel pages of `page`: differences that such a device cannot notice are settled.
    ///
    /// A device without sizes below the kernel's page notices neither the rules about them nor whether blocks are counted.
    pub fn asked_for(mut self, sizes: PageSizes, page: PageSize) -> Self {
        self.asked_for = Some((sizes, page));
        self.rules = self.met(self.rules);
        let (rules, has) = (self.rules, self.has);
        let had_open = !self.open.is_empty();
        let open = core::mem::take(&mut self.open);
        let makes_a_difference = |change: &&'static Change| {
            let with = self.met(KernelRules::with(has | change.bit()));
            !with.differs(&rules).is_empty()
        };
        self.open = open.into_iter().filter(makes_a_difference).collect();
        if had_open && self.open.is_empty() && self.certainty == Certainty::Unknown {
            self.certainty = Certainty::Exact;
        }
        self
    }

    /// `rules`, or those of a generation with the same answers for the device.
    fn met(&self, mut rules: KernelRules) -> KernelRules {
        // Uncounted blocks of 4G and more may never end.
        let is_special = |size: PageSize, page| size < page || size.log2() >= 32;
        let Some((sizes, page)) = self.asked_for.filter(|(sizes, page)| {
            self.release.is_some() && !sizes.iter().any(|size| is_special(size, *page))
        }) else {
            return rules;
        };
        // What makes no difference to such a device.
        let told_apart = |mut rules: KernelRules| {
            if sizes.contains(page) || rules.small_pages == SmallPages::SmallerIgnored {
                rules.small_pages = SmallPages::Any;
            }
            // Property: `the_walks_agree_on_sizes_below_4g`.
            rules.iterator = match (rules.interior, rules.iterator) {
                (_, BlockIterator::EachEntry32) => BlockIterator::EachEntry32,
                (Interior::Discontinuities, _) => BlockIterator::AcrossEntries64,
                _ => BlockIterator::EachEntryCounted32,
            };
            rules
        };
        let apart = told_apart(rules);
        let like = GENERATIONS.iter().min_by_key(|generation| {
            let here = apart.differs(&told_apart(**generation)).len();
            (here, rules.differs(generation).len())
        });
        if let Some(like) = like {
            let other = told_apart(*like);
            if apart.small_pages == other.small_pages {
                rules.small_pages = like.small_pages;
            }
            if apart.iterator == other.iterator {
                rules.iterator = like.iterator;
            }
            rules.name = like.name;
        }
        rules
    }
}
