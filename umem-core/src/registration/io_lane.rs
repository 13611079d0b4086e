//! The lane of the IOMMU's own page-table entries.

use super::{Lane, Registration};
use crate::iommu::IoPageRun;

/// The pages of the IOMMU's table along the region; none where nothing is mapped.
///
/// A page may reach beyond what was pinned, or hold the end of a segment and the beginning of the next: its box is as long as what it has
/// of the region. What maps padding alone has no box.
pub(super) fn io_lane(registration: &Registration) -> Lane {
    let mut boxes = Boxes::default();
    let Some(mut pages) = registration.io_pages() else {
        return boxes.lane;
    };
    let mut run = None;
    for segment in registration.dma() {
        let (mut offset, mut at) = (segment.offset, segment.start.get());
        let end = at + segment.length;
        while at < end {
            // Both lists are in the order of the region.
            let holds = |run: &IoPageRun| at.wrapping_sub(run.iova.get()) / run.size < run.count;
            while !run.as_ref().is_some_and(holds) {
                run = pages.next();
                if run.is_none() {
                    return boxes.done();
                }
            }
            let Some(IoPageRun {
                iova, size, count, ..
            }) = run
            else {
                break;
            };
            let passed = at - iova.get();
            let (number, within) = (passed / size, passed % size);
            let whole = ((end - at) / size).min(count - number);
            let taken = match within {
                0 if whole > 0 => {
                    boxes.push(offset, size, whole);
                    whole * size
                }
                _ => {
                    let part = (size - within).min(end - at);
                    boxes.part(at - within, offset, part);
                    part
                }
            };
            at += taken;
            offset += taken;
        }
    }
    boxes.done()
}

/// The lane so far.
#[derive(Default)]
struct Boxes {
    lane: Lane,
    /// A page of which a part is there: its address, where its box begins, and how long that is.
    open: Option<(u64, u64, u64)>,
}

impl Boxes {
    fn push(&mut self, offset: u64, size: u64, count: u64) {
        if let Some((_, offset, length)) = self.open.take() {
            self.lane.push(offset as i64, length, 1);
        }
        self.lane.push(offset as i64, size, count);
    }

    /// A part of the page at `address`.
    fn part(&mut self, address: u64, offset: u64, length: u64) {
        match &mut self.open {
            Some((open, _, known)) if *open == address => *known += length,
            open => {
                if let Some((_, offset, length)) = open.replace((address, offset, length)) {
                    self.lane.push(offset as i64, length, 1);
                }
            }
        }
    }

    fn done(mut self) -> Lane {
        if let Some((_, offset, length)) = self.open {
            self.lane.push(offset as i64, length, 1);
        }
        self.lane
    }
}

#[cfg(test)]
mod tests {
    use super::io_lane;
    use crate::{registration::Registration, scenario::Scenario};
    use alloc::{format, string::String, vec::Vec};

    /// Box by box: what each of the IOMMU's pages has of the region.
    fn slow(registration: &Registration) -> Vec<(i64, u64)> {
        let mut boxes = Vec::new();
        for run in registration.io_pages().into_iter().flatten() {
            for i in 0..run.count {
                let page = run.iova.get() + i * run.size;
                let mut found: Option<(i64, u64)> = None;
                for segment in registration.dma() {
                    let start = page.max(segment.start.get());
                    let end = (page + run.size).min(segment.end().get());
                    if start < end {
                        let offset = segment.offset + (start - segment.start.get());
                        found.get_or_insert((offset as i64, 0)).1 += end - start;
                    }
                }
                boxes.extend(found);
            }
        }
        boxes
    }

    fn question(memory: &str, iommu: &str, region: &str) -> String {
        format!(
            r#"{{"version":1,"region":{region},"memory":{memory},"iommu":{iommu},"device":{{"page_sizes":["4K","64K","2M"],"policy":"mixed","max_segment":"192K"}}}}"#
        )
    }

    #[test]
    fn every_page_has_a_box_as_long_as_what_it_has_of_the_region() {
        let memories = [
            r#"{"page_size":"2M","layout":"contiguous"}"#,
            r#"{"page_size":"4K","layout":"scattered"}"#,
            r#"{"page_size":"64K","layout":"descending"}"#,
            r#"{"extents":[["0x40000000","68K"],["0x50000000","4K"],["0x60001000","2M"],["0x70000000","1M"]]}"#,
            r#"{"kind":"dma-buf","extents":[["0x40000400","63K"],["0x50000000","100K"],["0x60001000","2M"],["0x70000000","1M"]]}"#,
            r#"{"kind":"dma-buf","exporter":"per-entry","extents":[["0x40000000","64K"],["0x50000000","2M"],["0x60001000","1M"]]}"#,
        ];
        let iommus = [
            r#""vt-d""#,
            r#""smmuv3-16k""#,
            r#""smmuv3-64k""#,
            r#""power""#,
            r#"{"page_sizes":["4K","64K"],"segment_boundary":"128K"}"#,
        ];
        let mut drawn = 0;
        for memory in memories {
            for iommu in iommus {
                for region in [
                    r#"{"length":"1M"}"#,
                    r#"{"offset":"8K","length":"1000000"}"#,
                ] {
                    let json = question(memory, iommu, region);
                    let Ok(scenario) = Scenario::from_json(json.as_bytes()) else {
                        continue;
                    };
                    let Ok(registration) = Registration::new(&scenario) else {
                        continue;
                    };
                    let lane = io_lane(&registration);
                    let boxes = (0..lane.count()).filter_map(|n| lane.nth(n));
                    let boxes: Vec<_> =
                        boxes.map(|(run, i)| (run.offset_of(i), run.size)).collect();
                    assert_eq!(boxes, slow(&registration), "{json}");
                    drawn += u32::from(!boxes.is_empty());
                }
            }
        }
        assert!(drawn >= 30, "{drawn} of these are mapped");
    }

    #[test]
    fn a_lane_of_many_pages_costs_no_more_than_one_of_few() {
        let json = question(
            r#"{"page_size":"2M","layout":"contiguous"}"#,
            r#"{"page_sizes":["4K"]}"#,
            r#"{"length":"2G"}"#,
        )
        .replace(r#","max_segment":"192K""#, "");
        let scenario = Scenario::from_json(json.as_bytes()).unwrap();
        let lane = io_lane(&Registration::new(&scenario).unwrap());
        assert_eq!(lane.count(), 1 << 19);
        assert_eq!(lane.runs().len(), 1);
    }

    #[test]
    fn without_an_iommu_there_is_none() {
        let json = question(
            r#"{"page_size":"2M","layout":"contiguous"}"#,
            r#""off""#,
            r#"{"length":"1M"}"#,
        );
        let scenario = Scenario::from_json(json.as_bytes()).unwrap();
        assert_eq!(io_lane(&Registration::new(&scenario).unwrap()).count(), 0);
    }
}
