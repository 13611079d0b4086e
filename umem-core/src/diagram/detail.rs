//! A box of the picture, in words.

use super::{LaneName, View, lens::Lens, view::Area};
use crate::{
    registration::{Index, Lane, LaneRun, Registration},
    size::Bytes,
    table::Policy,
};
use alloc::{format, string::String};

/// A box of a lane, in words: what a pointer over it, or a screen reader, is told.
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
pub fn detail(
    registration: &Registration,
    index: &Index,
    view: View,
    (x, y): (f64, f64),
    lens: Option<i64>,
) -> Option<Detail> {
    let area = Area::new(view);
    if area.shows(LaneName::Entries) && area.lens_rows().contains(&y) {
        let lens = Lens::new(index, &area, lens?)?;
        let offset = lens.at(x)?.offset;
        return detail_at(registration, index, LaneName::Entries, offset);
    }
    let lane = view
        .lanes
        .iter()
        .find(|lane| area.rows(*lane).contains(&y))?;
    let offset = area.offset_at(x);
    (area.left..=area.right())
        .contains(&x)
        .then(|| detail_at(registration, index, lane, offset as i64))?
}

/// Where the box of `lane` begins that comes `after` the one that holds `offset`, or before it; `None` at the ends.
pub fn beside(index: &Index, lane: LaneName, offset: i64, after: bool) -> Option<i64> {
    let boxes = boxes(index, lane)?;
    let (run, i) = boxes.at(offset)?;
    let number = run.first + i;
    let number = match after {
        true => number + 1,
        false => number.checked_sub(1)?,
    };
    let (run, i) = boxes.nth(number)?;
    Some(run.offset_of(i))
}

/// The boxes of a lane; none of the virtual memory, which is one piece.
fn boxes(index: &Index, lane: LaneName) -> Option<&Lane> {
    Some(match lane {
        LaneName::Virtual => return None,
        LaneName::Frames => &index.frames,
        LaneName::Scatter => &index.scatter,
        LaneName::Dma => &index.dma,
        LaneName::Entries => &index.entries,
    })
}

/// The box of `lane` that holds `offset`.
pub fn detail_at(
    registration: &Registration,
    index: &Index,
    lane: LaneName,
    offset: i64,
) -> Option<Detail> {
    let mr = &registration.question().mr;
    let of = |run: LaneRun, i: u64| (run.offset_of(i), run.size, run.first + i);
    let boxes = match boxes(index, lane) {
        None => {
            let (start, end) = (mr.offset as i64, (mr.offset + mr.length) as i64);
            let text = format!(
                "the registered region: {} from {:#x}, which the NIC knows as {:#x}",
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
    let frame = |offset: i64| registration.question().memory.frame(offset as u64);
    let text = match lane {
        LaneName::Frames => format!("frames {} + {}", frame(start), Bytes(size)),
        LaneName::Scatter => format!("SG entry {number}: {} + {}", frame(start), Bytes(size)),
        LaneName::Dma => format!(
            "DMA segment {number}: {} + {}",
            index.dma_address(registration, start as u64),
            Bytes(size)
        ),
        _ => {
            let entry = format!(
                "entry {number}: {} at {}",
                Bytes(size),
                index.entry_address(registration, start)
            );
            match registration.question().device.policy {
                Policy::Mixed if start >= 0 => {
                    let cut = registration.cut_at(index, start as u64);
                    format!(
                        "{entry}. {}",
                        cut.text(registration.question().device.page_sizes)
                    )
                }
                _ => entry,
            }
        }
    };
    Some(Detail {
        lane,
        offset: start,
        size,
        number,
        text,
    })
}
