//! `umem list`.

use std::{borrow::Cow, io::Write};

use clap::ValueEnum;
use umem_core::{
    device::{self, Traits},
    iommu, kernel,
    scenario::presets,
    size::{Bytes, PageSize},
    table::{memory::Layout, single::Choice},
};

use crate::{
    cases::{self, Case},
    exit::Exit,
    screen::say,
};

/// List what a scenario can name
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  umem list presets
  umem list cases Cannot allocate memory
  umem list devices mlx5")]
pub struct List {
    /// Which catalogue
    #[arg(value_enum)]
    catalogue: Catalogue,

    /// Only what has all of these words, in any case, such as an error text; or else what has the most of them
    words: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Catalogue {
    /// The scenes of the mail
    Presets,
    /// Public reports: what people saw, and what umem answers
    Cases,
    /// The RDMA drivers of Linux
    Devices,
    /// The IOMMUs of Linux
    Iommus,
    /// The generations of the rules, and the commits that changed them
    Kernels,
}

impl List {
    /// Prints the catalogue: a name and what it is, and what to know of it below.
    pub fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let entries: Vec<Entry> = match self.catalogue {
            Catalogue::Presets => presets::PRESETS.iter().map(preset).collect(),
            Catalogue::Cases => cases::all()?.into_iter().map(case).collect(),
            Catalogue::Devices => device::CATALOGUE.iter().map(driver).collect(),
            Catalogue::Iommus => iommu::CATALOGUE.iter().map(iommu).collect(),
            Catalogue::Kernels => {
                let generations = kernel::GENERATIONS.iter().map(generation);
                generations
                    .chain(kernel::CHANGES.iter().map(change))
                    .collect()
            }
        };
        let entries = found(entries, &words(&self.words.join(" ")));
        anyhow::ensure!(
            !entries.is_empty(),
            "nothing there has any of these words: {}",
            self.words.join(" ")
        );
        let width = entries
            .iter()
            .map(|entry| entry.name.len())
            .max()
            .unwrap_or(0);
        for Entry { name, title, facts } in entries {
            writeln!(out, "{name:width$}  {title}")?;
            for fact in facts {
                writeln!(out, "{:width$}    {fact}", "")?;
            }
        }
        Ok(Exit::Held)
    }
}

struct Entry {
    name: Cow<'static, str>,
    title: String,
    facts: Vec<String>,
}

/// Words in lower case: what is left between all that is neither letter nor digit.
fn words(text: &str) -> Vec<String> {
    let words = text.split(|letter: char| !letter.is_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// The entries that have all of these words; if none has, those that have the most of them, and that is said.
fn found(entries: Vec<Entry>, words: &[String]) -> Vec<Entry> {
    let counted = entries.into_iter().map(|entry| (entry.has(words), entry));
    let counted: Vec<_> = counted.collect();
    let most = counted.iter().map(|(count, _)| *count).max().unwrap_or(0);
    if most < words.len() {
        if most == 0 {
            return Vec::new();
        }
        say!(
            "nothing has all of these words; these have {most} of {}:",
            words.len()
        );
    }
    let nearest = counted.into_iter().filter(|(count, _)| *count == most);
    nearest.map(|(_, entry)| entry).collect()
}

/// The beginning of a word stands for it from so many letters on: "registrat" for "registration", but "efa" not for "EFAULT".
const BEGINNING: usize = 5;

impl Entry {
    /// How many of these words it has.
    fn has(&self, wanted: &[String]) -> usize {
        let text = format!("{} {} {}", self.name, self.title, self.facts.join(" "));
        let words = words(&text);
        let is_there = |wanted: &&String| {
            words.iter().any(|word| {
                word == *wanted || (wanted.len() >= BEGINNING && word.starts_with(wanted.as_str()))
            })
        };
        wanted.iter().filter(is_there).count()
    }
}

fn case(case: Case) -> Entry {
    let mut facts = case.errors;
    facts.push(case.happened);
    facts.push(format!("why: {}", case.cause));
    for (number, question) in (1..).zip(&case.asked) {
        facts.push(format!(
            "umem plan --case {}:{number} --why   {}",
            case.name, question.title
        ));
    }
    Entry {
        name: case.name.into(),
        title: case.title,
        facts,
    }
}

fn preset(preset: &presets::Preset) -> Entry {
    Entry {
        name: preset.name.into(),
        title: preset.title.into(),
        facts: vec![preset.about.into()],
    }
}

fn driver(profile: &&device::DeviceProfile) -> Entry {
    let traits = profile.traits(None);
    let mut facts = vec![
        format!("page sizes {}", chosen(&traits)),
        format!(
            "table: {}, {} bytes an entry; segments up to {:#x} bytes{}",
            profile.table,
            traits.entry_bytes,
            traits.max_segment,
            limits(&traits)
        ),
    ];
    if traits.layout == Layout::None {
        facts[1] = "no table".into();
    }
    if !profile.layout.is_empty() {
        facts.push(format!("layout: {}", profile.layout));
    }
    facts.extend(traits.assumed.map(|assumed| format!("assumed: {assumed}")));
    facts.push(format!("source: {}", traits.source));
    facts.extend(history(profile));
    Entry {
        name: profile.name.into(),
        title: profile.title.into(),
        facts,
    }
}

/// Which sizes a driver takes, and how.
pub fn chosen(traits: &Traits) -> String {
    let offered = sizes(traits.page_sizes);
    match traits.choice {
        Choice::Best(_) => format!("{offered}, of which it takes the best for the region"),
        Choice::KernelPage | Choice::PagesOfLength => {
            format!("{offered}, but it takes the kernel's page always")
        }
        Choice::ContPages => format!("{offered}, bounded by mlx5_ib_cont_pages()"),
        Choice::OptimalMtt => {
            format!("{offered}, bounded by mlx4_ib_umem_calc_optimal_mtt_size()")
        }
    }
}

/// What a driver did before, what releases changed, and which bugs it has or had.
pub fn history(profile: &device::DeviceProfile) -> Vec<String> {
    let mut history = Vec::new();
    let base = format!(
        "page sizes {} [{}]",
        chosen(&profile.base),
        profile.base.source
    );
    match (profile.first, profile.changes.first()) {
        (Some(first), _) => history.push(format!("since {first}: {base}")),
        (None, Some(change)) => history.push(format!("before {}: {base}", change.since.mainline())),
        (None, None) => {}
    }
    let mut source = profile.base.source;
    for change in profile.changes {
        let then = (change.apply)(Traits {
            source,
            ..profile.base
        })
        .source;
        let cited = if then == source {
            String::new()
        } else {
            format!("; source: {then}")
        };
        source = then;
        history.push(format!("since {}: {}{cited}", change.since, change.about));
    }
    history.extend(profile.bugs.iter().map(|bug| {
        let since = bug
            .since
            .map_or(String::new(), |since| format!(" since {since}"));
        let mended = bug.mended.map_or_else(
            || "not mended".into(),
            |mended| format!("mended in {mended}"),
        );
        format!("bug{since}, {mended}: {}", bug.about)
    }));
    history
}

fn iommu(profile: &iommu::IommuProfile) -> Entry {
    let facts = vec![
        format!(
            "page sizes {}; {} bits of IOVA",
            sizes(profile.page_sizes),
            profile.address_bits
        ),
        format!("source: {}", profile.source),
        evidence(profile.lab),
    ];
    Entry {
        name: profile.name.into(),
        title: profile.title.into(),
        facts,
    }
}

fn change(change: &'static kernel::Change) -> Entry {
    Entry {
        name: change.commit.into(),
        title: change.title.into(),
        facts: vec![format!("since {}", change.since)],
    }
}

fn generation(rules: &'static kernel::KernelRules) -> Entry {
    Entry {
        name: rules.name.into(),
        title: rules.about.into(),
        facts: Vec::new(),
    }
}

fn evidence(lab: Option<&str>) -> String {
    lab.map_or("evidence: source".into(), |lab| {
        format!("evidence: lab, {lab}")
    })
}

/// The sizes; of a long unbroken range only its ends.
pub fn sizes(sizes: umem_core::size::PageSizes) -> String {
    match (sizes.smallest(), sizes.largest()) {
        (Some(least), Some(most))
            if sizes.len() > 4 && sizes.len() == most.log2() - least.log2() + 1 =>
        {
            format!("{least} to {most}")
        }
        (Some(least), Some(most)) if sizes.len() > 8 => format!("{least} to {most}, with gaps"),
        _ => sizes.to_string(),
    }
}

/// The longest regions, and the most entries with the kernel's pages of 4K.
fn limits(traits: &Traits) -> String {
    let lengths = traits.length_limits.iter().map(|limit| {
        let blocks = limit
            .block
            .map_or(String::new(), |size| format!(" in {size}"));
        format!(
            "; regions up to {}{blocks} ({})",
            Bytes(limit.most),
            limit.errno
        )
    });
    lengths
        .chain(
            traits
                .entry_limits
                .iter()
                .map(|limit| format!("; {}", entries(limit))),
        )
        .collect()
}

/// A limit of entries, as a phrase.
pub fn entries(limit: &device::EntryLimit) -> String {
    let scope = match limit.scope {
        device::Scope::Region => "a region",
        device::Scope::Device => "a device",
        device::Scope::FirstTry => "a first attempt",
    };
    let access = limit
        .access
        .map_or(String::new(), |access| format!(" with {}", access.name()));
    format!(
        "at most {} entries {scope}{access} ({})",
        limit.entries(PageSize::K4),
        limit.errno
    )
}
