//! `umem plan`.

use std::{
    io::{BufWriter, Write},
    path::PathBuf,
};

use clap::ValueEnum;
use umem_core::{
    diagram::{self, Attention, Drawing, Heading, Steps, View, palette},
    gate::Errno,
    registration::Registration,
    scenario::{Asked, DeviceSpec, IommuSpec, KernelSpec, Problem, Scenario, ScenarioError},
    set::Set,
    size::Bytes,
    table::Policy,
};

use super::source::{self, Source};
use crate::{
    exit::Exit,
    report::{plan as report, set as report_set},
    screen::Out,
    whole_file,
};

/// Work out a scenario: the table that a device would get, and why
///
/// Takes no privileges and touches no device. The scenario (of one region), or the set (of many on one device), is a file of JSON, standard input (-), or a preset (see `umem list
/// presets`); the options below change it.
///
/// Exit code: 0 worked out (a refusal by kernel or device is an answer, too), 2 wrong input or usage.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  umem plan --preset mail --why
  umem plan scenario.json --release 6.8.0-84-generic --iommu off
  umem plan --case efa-95g
  umem plan region.json --saw EINVAL
  umem plan --preset mail --svg mail.svg --animate")]
pub struct Plan {
    #[command(flatten)]
    source: Source,

    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,

    /// Also draw the five lanes into this file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,

    /// The picture plays by itself, without a script, for READMEs, slides and docs; it stands still where people ask for less motion
    #[arg(long, requires = "svg")]
    animate: bool,

    /// Also print every entry: offset, address, size
    #[arg(long)]
    entries: bool,

    /// Also say what limited the table
    #[arg(long)]
    why: bool,

    /// The errno that the program saw (EINVAL, -22): what would explain it, where the plan does not end with it
    #[arg(long, value_name = "ERRNO", allow_hyphen_values = true, value_parser = errno)]
    saw: Option<Errno>,

    /// Start the region this far into the memory (4K, 0x1000)
    #[arg(long, value_name = "SIZE")]
    offset: Option<String>,

    /// Register this many bytes
    #[arg(long, value_name = "SIZE")]
    length: Option<String>,

    /// For this device of `umem list devices`, or of a device file that `umem inspect -o` wrote
    #[arg(long, value_name = "NAME|FILE")]
    device: Option<String>,

    /// Cut the table this way
    #[arg(long, value_enum)]
    policy: Option<PolicyName>,

    /// Behind this IOMMU of `umem list iommus`, or off
    #[arg(long, value_name = "NAME")]
    iommu: Option<String>,

    /// By the rules of this kernel of `umem list kernels`
    #[arg(long, value_name = "VERSION")]
    rules: Option<String>,

    /// On this kernel: a release (6.12.117), or what `uname -r` prints
    #[arg(long, value_name = "NAME", conflicts_with = "rules")]
    release: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// For programs: the registration format
    Json,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum PolicyName {
    /// Each entry of its own size
    Mixed,
    /// All entries of one size
    Single,
    /// One entry a DMA segment
    Unaligned,
}

impl From<PolicyName> for Policy {
    fn from(name: PolicyName) -> Self {
        match name {
            PolicyName::Mixed => Self::Mixed,
            PolicyName::Single => Self::Single,
            PolicyName::Unaligned => Self::Unaligned,
        }
    }
}

impl Plan {
    /// Works it out, and prints the answer.
    pub fn run(&self, out: &mut Out) -> anyhow::Result<Exit> {
        match self.source.asked()? {
            Asked::Scenario(scenario) => self.one(*scenario, out),
            Asked::Set(set) => self.many(*set, out),
        }
    }

    /// One region.
    fn one(&self, scenario: Scenario, out: &mut Out) -> anyhow::Result<Exit> {
        if self.saw.is_some() && self.format == Format::Json {
            let text = "belongs to the answer for people: leave --format json out";
            return Err(ScenarioError::new("--saw", Problem::Other(text.into())).into());
        }
        let scenario = self.changed(scenario)?;
        let registration = Registration::new(&scenario)?;
        if let Some(path) = &self.svg {
            whole_file::write(path, draw(registration.clone(), self.animate).as_bytes())?;
        }
        match self.format {
            Format::Table => {
                let mut out = BufWriter::new(out);
                report::table(&mut out, &registration, self.why)?;
                if self.entries {
                    report::entries_table(&mut out, &registration)?;
                }
                out.flush()?;
            }
            Format::Json => {
                let mut out = BufWriter::new(out.exact());
                report::json(&mut out, &registration, self.entries)?;
                out.flush()?;
            }
        }
        Ok(Exit::Held)
    }

    /// The regions of a set.
    fn many(&self, mut set: Set, out: &mut Out) -> anyhow::Result<Exit> {
        let of_one = [
            ("--offset", self.offset.is_some()),
            ("--length", self.length.is_some()),
            ("--entries", self.entries),
            ("--svg", self.svg.is_some()),
            ("--saw", self.saw.is_some()),
        ];
        if let Some((option, _)) = of_one.into_iter().find(|(_, given)| *given) {
            let text = "belongs to one region, and this is a set of many: give a scenario with \"region\" and \"memory\"";
            return Err(ScenarioError::new(option, Problem::Other(text.into())).into());
        }
        self.change(&mut set.kernel, &mut set.iommu, &mut set.device)?;
        let plan = set.plan()?;
        match self.format {
            Format::Table => {
                let mut out = BufWriter::new(out);
                report_set::table(&mut out, &plan, self.why)?;
                out.flush()?;
            }
            Format::Json => {
                let mut out = BufWriter::new(out.exact());
                report_set::json(&mut out, &plan)?;
                out.flush()?;
            }
        }
        Ok(Exit::Held)
    }

    /// What the options say of kernel, IOMMU and device.
    fn change(
        &self,
        kernel: &mut KernelSpec,
        iommu: &mut IommuSpec,
        device: &mut DeviceSpec,
    ) -> anyhow::Result<()> {
        if let Some(name) = &self.device {
            *device = source::device(name)?;
        }
        if let Some(policy) = self.policy {
            device.customize().policy = Some(policy.into());
        }
        if let Some(name) = &self.iommu {
            *iommu = IommuSpec::Name(name.clone());
        }
        if let Some(rules) = &self.rules {
            kernel.set_rules(rules);
        }
        if let Some(release) = &self.release {
            kernel.set_release(release);
        }
        Ok(())
    }

    /// The scenario with the options' changes.
    fn changed(&self, mut scenario: Scenario) -> anyhow::Result<Scenario> {
        let size = |option: &str, text: &str| {
            text.parse::<Bytes>().map_err(|error| {
                let text = text.to_owned();
                ScenarioError::new(option, Problem::Size { text, error })
            })
        };
        scenario.process.saw = self.saw.or(scenario.process.saw);
        if let Some(text) = &self.offset {
            scenario.region.offset = size("--offset", text)?;
        }
        if let Some(text) = &self.length {
            scenario.region.length = size("--length", text)?;
        }
        if let Some(provenance) = &mut scenario.provenance {
            // What an option says is no longer assumed.
            let assumed = &mut provenance.assumed;
            assumed.device.take_if(|_| self.device.is_some());
            assumed.iommu.take_if(|_| self.iommu.is_some());
            let named = self.rules.is_some() || self.release.is_some();
            assumed.rules.take_if(|_| named);
        }
        let Scenario {
            kernel,
            iommu,
            device,
            ..
        } = &mut scenario;
        self.change(kernel, iommu, device)?;
        Ok(scenario)
    }
}

/// An errno by its name or number.
fn errno(text: &str) -> Result<Errno, String> {
    Errno::find(text).ok_or_else(|| {
        let names = Errno::ALL.map(Errno::name).join(", ");
        format!("a registration ends with {names}, or the number of one")
    })
}

/// The finished picture, as wide as a page of docs, or how it comes about. That of a capture says where it comes from.
fn draw(registration: Registration, animate: bool) -> String {
    let index = registration.index();
    let registration = index.registration();
    let scenario = registration.scenario();
    let view = View::whole(registration, 960.0);
    let name = scenario.name.as_deref().unwrap_or("A memory region");
    let status = registration.status();
    let title = format!("{name}: {status}");
    let arrange = |drawing: Drawing| match &scenario.provenance {
        Some(provenance) => {
            let about = format!(
                "{name}, {}; captured on Linux {}, {}",
                registration.question().about(),
                provenance.kernel,
                provenance.time
            );
            Drawing::sheet([(
                Heading {
                    title: status.clone(),
                    notes: provenance.sentences(),
                    about,
                },
                drawing,
            )])
        }
        None => drawing.with_margins(),
    };
    if animate {
        return diagram::film(&index, view, &palette::LIGHT, &title, arrange);
    }
    let end = Steps::new(&index).count() as f64;
    let drawing = diagram::draw(&index, view, end, Attention::default());
    diagram::svg::render(&arrange(drawing), &palette::LIGHT, &title)
}
