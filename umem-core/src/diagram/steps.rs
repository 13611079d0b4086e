//! The steps of the animation: one for each run of equal things, stage by stage.

use super::{Stage, view::within};
use crate::memory::Kind;
use crate::registration::{Index, Lane, LaneRun};
use crate::size::Bytes;
use alloc::{
    format,
    string::{String, ToString},
};

/// A run of equal things that one step of the animation makes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// Its stage.
    pub stage: Stage,
    /// The things.
    pub run: LaneRun,
    /// What the memory is to the kernel.
    pub kind: Kind,
}

impl Step {
    /// What the step does, in words.
    pub fn text(&self) -> String {
        let things = count_label(self.run.count, self.run.size);
        match self.stage {
            Stage::Pin if self.kind == Kind::DmaBuf => format!("attach to the buffer: {things}"),
            Stage::Pin if self.kind == Kind::Odp => format!("pin nothing: {things}"),
            Stage::Gather if self.kind == Kind::DmaBuf => {
                format!("take the exporter's entries: {things}")
            }
            Stage::Map if self.kind == Kind::DmaBuf => {
                format!("map the whole buffer, and cut out the region: {things}")
            }
            Stage::Map if self.kind == Kind::Odp => {
                format!("map pages when the NIC touches them: {things}")
            }
            Stage::Pin if self.run.count == 1 => format!("pin a batch of {things}"),
            Stage::Pin => format!("pin {} batches: {things}", self.run.count),
            Stage::Gather => format!("gather into SG entries: {things}"),
            Stage::Map => format!("map as DMA segments: {things}"),
            Stage::Cut => format!("cut into entries: {things}"),
        }
    }
}

/// The steps of a registration, each found in logarithmic time.
#[derive(Clone, Copy, Debug)]
pub struct Steps<'a> {
    /// Each stage's runs.
    lanes: [&'a Lane; 4],
    start: i64,
    kind: Kind,
}

/// How far each stage has come: everything before these offsets is done.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Fronts {
    fronts: [f64; 4],
}

impl Fronts {
    /// How far `stage` has come, in bytes from `region.va`.
    pub fn of(&self, stage: Stage) -> f64 {
        self.fronts[stage as usize]
    }
}

/// A moment of the animation.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Moment {
    /// How far each stage has come.
    pub fronts: Fronts,
    /// The step under way; `None` at the end.
    pub step: Option<Step>,
    /// How much of it is done, from 0 to 1.
    pub part: f64,
}

impl Moment {
    /// The offset at which the step under way works.
    pub fn at(&self) -> Option<f64> {
        self.step.map(|step| self.fronts.of(step.stage))
    }
}

impl<'a> Steps<'a> {
    /// The steps of the registration that `index` is of. Costs nothing.
    pub fn new(index: &'a Index) -> Self {
        let (start, _) = index.registration().pinned();
        Self {
            lanes: [
                index.batches(),
                index.scatter(),
                index.dma(),
                index.entries(),
            ],
            start: start as i64,
            kind: index.registration().question().kind(),
        }
    }

    /// How many steps there are: the last moment is step `count`, when everything is done.
    pub fn count(&self) -> usize {
        self.lanes.iter().map(|lane| lane.runs().len()).sum()
    }

    /// The number of the first step of `stage`.
    pub fn first_of(&self, stage: Stage) -> usize {
        self.lanes[..stage as usize]
            .iter()
            .map(|lane| lane.runs().len())
            .sum()
    }

    /// Step number `n`, from 0; `None` after the last.
    pub fn get(&self, n: usize) -> Option<Step> {
        let mut n = n;
        for (stage, lane) in Stage::ALL.into_iter().zip(self.lanes) {
            match lane.runs().get(n) {
                Some(run) => {
                    let kind = self.kind;
                    return Some(Step { stage, run, kind });
                }
                None => n -= lane.runs().len(),
            }
        }
        None
    }

    /// When the front of `stage` reaches `offset`: a step's number, and how much of it is done by then.
    ///
    /// This keeps two pictures of different tables in step.
    pub fn reaching(&self, stage: Stage, offset: f64) -> f64 {
        let lane = self.lanes[stage as usize];
        let first = self.first_of(stage) as f64;
        let n = lane.first_ending_after(offset as i64);
        let Some(run) = lane.runs().get(n) else {
            return first + lane.runs().len() as f64;
        };
        let done = (offset - run.offset as f64) / (run.size as f64 * run.count as f64);
        first + n as f64 + done.clamp(0.0, 1.0)
    }

    /// The moment `at`: a step's number, and as a fraction how much of it is done.
    pub fn moment(&self, at: f64) -> Moment {
        let at = within(at, 0.0, self.count() as f64);
        // `f64::floor` is not in `core`; `at` is not negative.
        let n = at as usize;
        let part = at - n as f64;
        let step = self.get(n);
        let fronts = Stage::ALL.map(|stage| {
            let runs = self.lanes[stage as usize].runs();
            let begin = runs.first().map_or(self.start, |run| run.offset);
            match step {
                Some(step) if step.stage < stage => begin as f64,
                Some(step) if step.stage == stage => {
                    let length = step.run.size as f64 * step.run.count as f64;
                    step.run.offset as f64 + length * part
                }
                _ => runs.last().map_or(begin, |run| run.end()) as f64,
            }
        });
        Moment {
            fronts: Fronts { fronts },
            step,
            part,
        }
    }
}

/// A label for a box or a run of equal boxes: "2M", "255 × 4K".
pub(super) fn count_label(count: u64, size: u64) -> String {
    match count {
        1 => Bytes(size).to_string(),
        _ => format!("{count} × {}", Bytes(size)),
    }
}
