//! What this machine can check, and how to enable what it cannot.
//!
//! Each thing looked at is a [`Finding`]: it is there, or what its lack prevents and the command that provides it. What
//! can be done with umem follows from them: the [`abilities`].

mod ability;
mod devices;
mod group;
mod kernel;
mod memory;
mod process;
mod watch;

use std::path::Path;

use serde::Serialize;

use crate::missing::Missing;

pub use ability::{Ability, abilities};
pub use process::Subject;

/// Something that was looked at.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// What: a word or two.
    pub name: String,
    /// Which part of umem needs it.
    #[serde(skip)]
    pub part: Part,
    /// How it is.
    #[serde(flatten)]
    pub state: State,
}

/// How it is with a [`Finding`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum State {
    /// It is there.
    Ok {
        /// What there is to know of it.
        detail: String,
    },
    /// It is not.
    Lacking(Missing),
}

/// What a finding is about, as far as it decides what can be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// Nothing depends on it alone.
    Other,
    /// The right to see frame numbers.
    Frames,
    /// A device to be registered with, by this program.
    Verbs,
    /// The kernel module that asks the kernel.
    Probe,
    /// BPF programs in the kernel.
    Watch,
}

impl Finding {
    fn ok(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            part: Part::Other,
            state: State::Ok {
                detail: detail.into(),
            },
        }
    }

    fn lacking(name: impl Into<String>, missing: Missing) -> Self {
        Self {
            name: name.into(),
            part: Part::Other,
            state: State::Lacking(missing),
        }
    }

    /// Of something that is there, with what is to know of it, or missing.
    fn of(name: impl Into<String>, found: Result<String, Missing>) -> Self {
        match found {
            Ok(detail) => Self::ok(name, detail),
            Err(missing) => Self::lacking(name, missing),
        }
    }

    fn part(self, part: Part) -> Self {
        Self { part, ..self }
    }

    /// Whether it is there.
    pub fn is_ok(&self) -> bool {
        matches!(self.state, State::Ok { .. })
    }
}

/// What decides whether a process can register memory: its limits and rights first, then what the machine has for it.
pub fn examine_process(subject: &Subject) -> Vec<Finding> {
    let root = Path::new("/");
    let mut findings = subject.findings(root);
    let kernel = rustix::system::uname();
    let release = kernel.release().to_string_lossy();
    findings.push(kernel::release(
        &release,
        &kernel.machine().to_string_lossy(),
    ));
    findings.extend(devices::all(root, kernel::has_soft_roce(root, &release)));
    findings.push(memory::transparent(root));
    // Regions register without these.
    let helpful = memory::huge_pages(root)
        .into_iter()
        .chain([devices::iommu(root)]);
    findings.extend(helpful.filter(Finding::is_ok));
    findings
}

/// Everything there is to look at on this machine, and of this program.
pub fn examine() -> Vec<Finding> {
    let (root, subject) = (Path::new("/"), Subject::own());
    let kernel = rustix::system::uname();
    let release = kernel.release().to_string_lossy();
    let secured = kernel::Security::of(root);
    let mut findings = vec![kernel::release(
        &release,
        &kernel.machine().to_string_lossy(),
    )];
    findings.push(kernel::rules());
    findings.extend(kernel::modules(root, &release));
    let soft_roce = kernel::has_soft_roce(root, &release);
    findings.extend(devices::all(root, soft_roce));
    findings.push(devices::verbs());
    findings.extend(subject.findings(root));
    findings.push(memory::frames());
    findings.extend(memory::huge_pages(root));
    findings.push(memory::transparent(root));
    findings.push(devices::iommu(root));
    findings.push(kernel::btf(root));
    findings.push(kernel::security(&secured));
    findings.push(watch::watch(root, secured.lockdown()));
    findings.push(kernel::probe(&secured));
    findings
}
