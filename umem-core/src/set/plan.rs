//! A set, planned: each region, the sums, and where it ends.

use super::{
    Member, Set,
    limits::{self, Taken},
};
use crate::{
    evidence::By,
    gate::{Gate, GateAnswer},
    registration::Registration,
    scenario::{Problem, ProcessSpec, ScenarioError},
};
use alloc::{format, string::String, vec::Vec};

/// A set, worked out.
#[derive(Clone, Debug)]
pub struct SetPlan {
    set: Set,
    members: Vec<Planned>,
    total: Total,
    refusal: Option<SetRefusal>,
    unless_privileged: Option<SetRefusal>,
}

/// Regions that are alike.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The first of them, on its own.
    pub registration: Registration,
    /// How many there are.
    pub count: u64,
    /// How many of them register, after all earlier ones in the set.
    pub registered: u64,
}

/// What all regions of a set take together, refused ones included, as far as each has a table on its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Total {
    /// How many regions there are.
    pub regions: u64,
    /// Their kernel pages.
    pub pages: u64,
    /// The entries of their tables.
    pub entries: u64,
    /// What the entries take, in bytes.
    pub bytes: u64,
    /// What the tables take with directories and rounding, in bytes.
    pub memory: u64,
}

/// The region at which a set is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetRefusal {
    /// The number of the region that is refused, from 1 on, in the order of registration.
    pub region: u64,
    /// Its index in [`Set::registrations`].
    pub member: usize,
    /// The gate that refuses it, the errno, the cause and the way out.
    pub answer: GateAnswer,
}

impl Set {
    /// Plans the set.
    ///
    /// Takes as long as planning each of its members once, whatever their counts.
    ///
    /// # Errors
    /// The first field that is wrong, with its member.
    pub fn plan(&self) -> Result<SetPlan, ScenarioError> {
        if self.version != 1 {
            return Err(ScenarioError::new(
                "version",
                Problem::Version(self.version),
            ));
        }
        if self.registrations.is_empty() {
            return Err(ScenarioError::new(
                "registrations",
                Problem::NoRegistrations,
            ));
        }
        let mut members: Vec<Planned> = Vec::with_capacity(self.registrations.len());
        let (mut taken, mut total, mut refusal) = (Taken::default(), Total::default(), None);
        let mut unless_privileged = None;
        for (i, member) in self.registrations.iter().enumerate() {
            let planned = self.planned(i, member)?;
            total = total
                .and(&planned.registration, member.count)
                .ok_or_else(|| too_many(i, member))?;
            if refusal.is_none() && unless_privileged.is_none() {
                unless_privileged = self.unprivileged(i, &planned, &taken);
            }
            let registered = match &refusal {
                Some(_) => 0,
                None => {
                    let (registered, answer) = self.register(member, &planned.registration, &taken);
                    refusal = answer.map(|answer| SetRefusal {
                        region: taken.regions + registered + 1,
                        member: i,
                        answer,
                    });
                    registered
                }
            };
            taken = taken.and(&planned.registration, registered);
            members.push(Planned {
                registered,
                ..planned
            });
        }
        Ok(SetPlan {
            set: self.clone(),
            members,
            total,
            refusal,
            unless_privileged,
        })
    }

    fn planned(&self, i: usize, member: &Member) -> Result<Planned, ScenarioError> {
        if member.count == 0 {
            let field = format!("registrations[{i}].count");
            return Err(ScenarioError::new(field, Problem::Zero));
        }
        let registration =
            Registration::new(&self.scenario(member)).map_err(|error| error.of_member(i))?;
        Ok(Planned {
            registration,
            count: member.count,
            registered: 0,
        })
    }

    /// How many of the member's regions register after those of `taken`, and what stops the next one.
    fn register(
        &self,
        member: &Member,
        registration: &Registration,
        taken: &Taken,
    ) -> (u64, Option<GateAnswer>) {
        // A region that is refused alone is refused here as well, unless earlier registrations stop it sooner.
        let (allowed, gate) = limits::allowed(registration, taken);
        let alone = registration.gates().pop().filter(GateAnswer::refuses);
        let registered = match &alone {
            Some(_) => 0,
            None => allowed.min(member.count),
        };
        if alone.is_none() && registered == member.count {
            return (registered, None);
        }
        let taken = taken.and(registration, registered);
        let sooner = alone
            .as_ref()
            .is_none_or(|alone| allowed == 0 && gate < alone.gate);
        let answer = match (gate, sooner) {
            (Gate::Firmware, true) => device_is_full(registration, &taken),
            (_, true) => self.stopped(member, registration, &taken, &self.process),
            (_, false) => None,
        };
        (registered, answer.or(alone))
    }

    /// Which of the member's regions a process without CAP_IPC_LOCK may not lock after those of `taken`, where nobody said whether
    /// this one has it.
    fn unprivileged(&self, number: usize, planned: &Planned, taken: &Taken) -> Option<SetRefusal> {
        let member = &self.registrations[number];
        let lockable = limits::lockable(&planned.registration, taken);
        if self.process.privileged.is_some() || lockable >= member.count {
            return None;
        }
        let taken = taken.and(&planned.registration, lockable);
        let process = ProcessSpec {
            privileged: Some(false),
            ..self.process.clone()
        };
        let answer = self.stopped(member, &planned.registration, &taken, &process)?;
        (answer.gate == Gate::Memlock).then_some(SetRefusal {
            region: taken.regions + 1,
            member: number,
            answer,
        })
    }

    /// What refuses a region of `process` when it has registered those of `taken`.
    fn stopped(
        &self,
        member: &Member,
        registration: &Registration,
        taken: &Taken,
        process: &ProcessSpec,
    ) -> Option<GateAnswer> {
        let mut scenario = self.scenario(member);
        let page = registration.question().mr().page;
        scenario.process = taken.process(process, page.bytes());
        let gates = scenario.gates_before_gathering().ok()?;
        gates.into_iter().find(GateAnswer::refuses)
    }
}

/// The device keeps no more entries.
fn device_is_full(registration: &Registration, taken: &Taken) -> Option<GateAnswer> {
    let limit = limits::of_device(registration)?;
    let (_, entries) = limits::each(registration);
    let most = limit.entries(registration.question().mr().page);
    let text = format!(
        "{} regions before this one have {} entries, this one has {entries}, and the device keeps at most {most} of all regions together",
        taken.regions, taken.entries
    );
    let device = registration.question().device();
    let driver = device.profile.map(|driver| driver.traits(device.release));
    let assumed = driver.and_then(|traits| traits.assumed);
    let source = assumed.unwrap_or("the set's own device");
    let way_out = format!(
        "{}; or deregister what is no longer used, or spread the regions over several devices: each has a budget of its own",
        limit.why
    );
    let (gate, errno) = (limit.gate, limit.errno);
    let answer = GateAnswer::refuse(gate, "too-many-entries", errno, text, way_out);
    Some(answer.by(By::Report, source))
}

fn too_many(i: usize, member: &Member) -> ScenarioError {
    let field = format!("registrations[{i}].count");
    ScenarioError::new(field, Problem::TooLarge(member.count))
}

impl Total {
    /// The same and `count` regions like `registration`; `None` from 2^53 on, which JSON cannot hold exactly.
    fn and(self, registration: &Registration, count: u64) -> Option<Self> {
        let table = registration.table().ok();
        let add = |sum: u64, each: u64| {
            let sum = sum.checked_add(each.checked_mul(count)?)?;
            (sum < 1 << 53).then_some(sum)
        };
        Some(Self {
            regions: add(self.regions, 1)?,
            pages: add(self.pages, registration.pages())?,
            entries: add(self.entries, table.map_or(0, |table| table.total))?,
            bytes: add(self.bytes, table.map_or(0, |table| table.bytes))?,
            memory: add(self.memory, table.map_or(0, |table| table.memory.bytes))?,
        })
    }
}

impl SetPlan {
    /// The set as it was given.
    pub fn set(&self) -> &Set {
        &self.set
    }

    /// The members, each with the result of its first region.
    pub fn members(&self) -> &[Planned] {
        &self.members
    }

    /// What all of them take together.
    pub fn total(&self) -> Total {
        self.total
    }

    /// The region that is refused first, if one is.
    pub fn refusal(&self) -> Option<&SetRefusal> {
        self.refusal.as_ref()
    }

    /// The region at which the set is refused unless the process has CAP_IPC_LOCK, where the set does not say whether it has.
    pub fn unless_privileged(&self) -> Option<&SetRefusal> {
        match self.refusal {
            None => self.unless_privileged.as_ref(),
            Some(_) => None,
        }
    }

    /// The most entries that the device keeps of all regions together, if a limit is known.
    pub fn budget(&self) -> Option<u64> {
        let registration = &self.members.first()?.registration;
        let limit = limits::of_device(registration)?;
        Some(limit.entries(registration.question().mr().page))
    }

    /// "548 regions: 53366 entries", what they depend on, or which region is refused, where and why.
    pub fn status(&self) -> String {
        let Total {
            regions, entries, ..
        } = self.total;
        let plural = if regions == 1 { "region" } else { "regions" };
        let stop = |refusal: &SetRefusal| {
            format!(
                "region {} of {regions} is {}",
                refusal.region,
                refusal.answer.stop()
            )
        };
        match (&self.refusal, self.unless_privileged()) {
            (Some(refusal), _) => stop(refusal),
            (None, None) => format!("{regions} {plural}: {entries} entries"),
            (None, Some(refusal)) => format!(
                "{regions} {plural}: {entries} entries if the process has CAP_IPC_LOCK; without it {}",
                stop(refusal)
            ),
        }
    }
}
