//! A box of the picture, in words.

use super::{
    LaneName, View,
    lens::Lens,
    ruler::TALLEST,
    view::{Area, room},
};
use crate::{
    explain::cut_at,
    memory::Kind,
    registration::{Index, LaneRun},
    size::{Bytes, Near},
    table::Policy,
};
use alloc::{format, string::String};

/// A box of a lane in words, for tooltips and screen readers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Detail {
    /// Its lane.
    pub lane: LaneName,
    /// Where it begins in the region, in bytes from `region.va`.
    pub offset: i64,
    /// Its size in bytes.
    pub size: u64,
    /// Its number in the lane, from 0.
    pub number: u64,
    /// The sentence.
    pub text: String,
}

/// What stands at (`x`, `y`) of the picture that `view` has, its lens being at the entry that holds `lens`.
pub fn detail(index: &Index, view: View, (x, y): (f64, f64), lens: Option<i64>) -> Option<Detail> {
    let area = Area::new(view);
    if area.has_lens() && area.lens_rows().contains(&y) {
        let lens = Lens::new(index, &area, lens?)?;
        let offset = lens.at(x)?.offset;
        return detail_at(index, LaneName::Entries, offset);
    }
    let lane = view
        .lanes
        .iter()
        .find(|lane| area.rows(*lane).contains(&y))?;
    let offset = area.offset_at(x);
    (area.left..=area.right())
        .contains(&x)
        .then(|| detail_at(index, lane, offset as i64))?
}

/// What the name at (`x`, `y`) stands for, in the picture that `view` has: a lane, the lens, or what is beside them.
pub fn named(view: View, kind: Kind, (x, y): (f64, f64)) -> Option<&'static str> {
    if let Some(lane) = lane_named(view, (x, y)) {
        return Some(lane.about(kind));
    }
    let area = Area::new(view);
    if area.narrow() || x >= area.left {
        return None;
    }
    if let Some(gates) = gates_at(&area, y) {
        return Some(gates);
    }
    if !area.has_lens() {
        return None;
    }
    let (lens, ruler) = (area.lens_rows(), area.rows(LaneName::Dma).end);
    match y {
        _ if area.shows(LaneName::Dma) && (ruler..ruler + TALLEST).contains(&y) => Some(ALIGNMENT),
        _ if lens.contains(&y) => Some(LENS),
        _ if (lens.end..lens.end + 19.0).contains(&y) => Some(ADDRESS),
        _ if (lens.end + 19.0..area.height()).contains(&y) => Some(ZERO_BITS),
        _ => None,
    }
}

/// What the gates' marks in the row at `y` are.
fn gates_at(area: &Area, y: f64) -> Option<&'static str> {
    let is_there = |lane: &LaneName| room(area, *lane).is_some_and(|rows| rows.contains(&y));
    Some(match LaneName::ALL.into_iter().find(is_there)? {
        LaneName::Virtual | LaneName::Iommu => return None,
        LaneName::Frames => {
            "Gates before the pages are pinned: fork-support, uverbs, driver, memlock, pin. The first that refuses ends the registration."
        }
        LaneName::Scatter => "Gate: gather. Pages join to an SG list.",
        LaneName::Dma => "Gate: map. The list gets device addresses.",
        LaneName::Entries => {
            "Gates before the device has its table: page-size, table, firmware. The first that refuses ends the registration."
        }
    })
}

const ALIGNMENT: &str = "Alignment: the more zero bits an address ends in, the taller its mark. A block of 2M can begin only where it ends in 21.";
const LENS: &str = "The lens: a dozen entries side by side, large enough to read, around the playhead or the entry that you chose.";
const ADDRESS: &str = "Address: where the entry begins in the addresses that the device uses.";
const ZERO_BITS: &str = "Zero bits: how many zeros the entry's address ends in, in binary. 12 allow blocks of 4K, 20 allow 1M, 21 allow 2M.";

/// The lane whose name is at (`x`, `y`) of the picture that `view` has.
fn lane_named(view: View, (x, y): (f64, f64)) -> Option<LaneName> {
    let area = Area::new(view);
    view.lanes.iter().find(|lane| {
        let rows = area.rows(*lane);
        match area.narrow() {
            true => (rows.start - NAME..rows.start).contains(&y),
            false => x < area.left && rows.contains(&y),
        }
    })
}

/// The height of a name above its lane, in pixels.
const NAME: f64 = 20.0;

/// Where the next box of `lane` begins, `after` the one that holds `offset` or before it; `None` at the ends.
pub fn beside(index: &Index, lane: LaneName, offset: i64, after: bool) -> Option<i64> {
    let boxes = lane.boxes(index)?;
    let (run, i) = boxes.at(offset)?;
    let number = run.first + i;
    let number = match after {
        true => number + 1,
        false => number.checked_sub(1)?,
    };
    let (run, i) = boxes.nth(number)?;
    Some(run.offset_of(i))
}

/// Where the bytes between two offsets came from, lane by lane from `lane` up: "DMA segment 0, SG entries 3 to 5, frames 0x40000000
/// (2M), virtual 0x7f0000000000".
fn origin(index: &Index, lane: LaneName, (start, end): (i64, i64)) -> String {
    let question = index.registration().question();
    let mut origin = String::new();
    for above in LaneName::ALL
        .into_iter()
        .rev()
        // Nothing is made of the IOMMU's own pages.
        .filter(|above| above.is_above(lane) && *above != LaneName::Iommu)
    {
        let found = above.boxes(index).and_then(|boxes| {
            // The ends of a table may reach beyond what was pinned.
            let (least, most) = (boxes.runs().first()?.offset, boxes.runs().last()?.end());
            let at = |offset: i64| boxes.at(offset.clamp(least, most - 1));
            Some((at(start)?, at(end - 1)?))
        });
        let Some((first, last)) = found else { continue };
        let numbers = (first.0.first + first.1, last.0.first + last.1);
        let told = match above {
            LaneName::Frames => {
                let memory = question.memory();
                let frame = |(run, i): (LaneRun, u64)| {
                    let start = memory.frame(run.offset_of(i) as u64);
                    format!("{start} ({})", Bytes(run.size))
                };
                match numbers.0 == numbers.1 {
                    true => format!("frames {}", frame(first)),
                    false => format!("frames {} to {}", frame(first), frame(last)),
                }
            }
            LaneName::Scatter => numbered(question.kind().entries(), numbers),
            _ => numbered(["DMA segment", "DMA segments"], numbers),
        };
        origin += &told;
        origin += ", ";
    }
    let mr = question.mr();
    let from_region = start.wrapping_sub(mr.offset as i64);
    let virtual_address = mr.address.wrapping_add(from_region as u64);
    origin + &format!("virtual {virtual_address}")
}

/// "SG entry 3", "SG entries 3 to 5".
fn numbered([one, several]: [&str; 2], (first, last): (u64, u64)) -> String {
    match first == last {
        true => format!("{one} {first}"),
        false => format!("{several} {first} to {last}"),
    }
}

/// Why the entry that begins at `start` has its size, as a sentence after others.
fn reason(index: &Index, start: i64) -> String {
    let device = index.registration().question().device();
    match device.policy {
        Policy::Mixed if start >= 0 => {
            let cut = cut_at(index, start as u64);
            format!(" {}", cut.text(device.page_sizes))
        }
        Policy::Mixed => String::new(),
        Policy::Single => " All entries share one size, which must fit everywhere.".into(),
        Policy::Unaligned => " It is as long as its segment.".into(),
    }
}

/// The box of `lane` that holds `offset`.
pub fn detail_at(index: &Index, lane: LaneName, offset: i64) -> Option<Detail> {
    let question = index.registration().question();
    let mr = question.mr();
    let of = |run: LaneRun, i: u64| (run.offset_of(i), run.size, run.first + i);
    let boxes = match lane.boxes(index) {
        None => {
            let (start, end) = (mr.offset as i64, (mr.offset + mr.length) as i64);
            let text = format!(
                "the registered region: {} from {}, which the NIC knows as {}",
                Bytes(mr.length),
                mr.address,
                mr.hca_address
            );
            return (start..end).contains(&offset).then_some(Detail {
                lane,
                offset: start,
                size: mr.length,
                number: 0,
                text,
            });
        }
        Some(boxes) => boxes,
    };
    let (start, size, number) = boxes.at(offset).map(|(run, i)| of(run, i))?;
    let frame = |offset: i64| question.memory().frame(offset as u64);
    let size_of = Near(size);
    let named = match lane {
        LaneName::Frames => format!("frames {}: {size_of}", frame(start)),
        LaneName::Scatter => {
            let [entry, _] = question.kind().entries();
            format!("{entry} {number}: {size_of} at {}", frame(start))
        }
        LaneName::Dma | LaneName::Iommu => {
            let what = match lane {
                LaneName::Dma => "DMA segment",
                _ => "IOMMU entry",
            };
            let address = index.dma_address(start as u64);
            format!("{what} {number}: {size_of} at {address}")
        }
        _ => {
            let address = index.entry_address(start);
            format!("entry {number}: {size_of} at {address}")
        }
    };
    let from = origin(index, lane, (start, start + size as i64));
    let why = match lane {
        LaneName::Entries => reason(index, start),
        _ => String::new(),
    };
    let text = format!("{named}, from {from}.{why}");
    Some(Detail {
        lane,
        offset: start,
        size,
        number,
        text,
    })
}
