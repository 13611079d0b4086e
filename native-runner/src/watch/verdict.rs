//! What the kernel built, held against the rules, with the kernel's own inputs.

use serde::Serialize;
use umem_core::{
    address::{Bits, Consecutive, DmaAddr, FrameNumber, PhysAddr},
    kernel::KernelRules,
    size::{PageSize, PageSizes},
    table::single,
    vectors::{Iommu, Sg, Vector},
};

use super::{list::List, seen::Seen, wire::Kind};

/// What a comparison says.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The rules give the kernel's answers.
    Equal,
    /// They give others.
    Differs,
    /// There is nothing to hold against each other.
    NotComparable,
}

/// A comparison's outcome, in words.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Verdict {
    /// The outcome.
    pub verdict: Outcome,
    /// What was compared, both answers where they differ, or why nothing was compared.
    pub text: String,
}

/// What is not compared, and why.
struct Skipped(String);

/// `dma_get_max_seg_size()` of a device that says nothing.
const DEFAULT_SEGMENT: u32 = 64 << 10;

impl Seen {
    /// `ib_dma_max_seg_size()`: software takes any.
    pub fn max_segment(&self) -> u32 {
        match self.get.max_segment {
            _ if !self.get.has_dma_device => u32::MAX,
            0 => DEFAULT_SEGMENT,
            bytes => u32::try_from(bytes).unwrap_or(u32::MAX),
        }
    }

    /// `dma_get_seg_boundary()`.
    pub fn boundary_mask(&self) -> u64 {
        match self.get.boundary_mask {
            0 => u64::MAX,
            mask => mask,
        }
    }

    /// Holds it against `rules`, or says why they are not known.
    pub fn judge(&self, rules: &Result<KernelRules, String>, page: PageSize) -> Verdict {
        let (verdict, text) = match self.compared(rules, page) {
            Ok(Ok(text)) => (Outcome::Equal, text),
            Ok(Err(text)) => (Outcome::Differs, text),
            Err(Skipped(why)) => (Outcome::NotComparable, why),
        };
        Verdict { verdict, text }
    }

    fn compared(
        &self,
        rules: &Result<KernelRules, String>,
        page: PageSize,
    ) -> Result<Result<String, String>, Skipped> {
        let skip = |why: &str| Err(Skipped(why.to_owned()));
        if self.get.errno().is_some() {
            return skip("it was refused, so there is no list");
        }
        let list = match (self.kind(), &self.list) {
            (Kind::OnDemand, _) => return skip("pages that come on demand have no list"),
            (Kind::DmaBuf, _) => return skip("a dma-buf's list is its exporter's"),
            (Kind::Pages, None) => return skip("its list was not seen"),
            (Kind::Pages, Some(list)) => list,
        };
        if !list.is_whole() {
            return Err(Skipped(format!(
                "{} of the list's entries were lost on the way",
                list.missing
            )));
        }
        let rules = rules.as_ref().map_err(|why| Skipped(why.clone()))?;
        let Some(mr) = self.mr(page) else {
            return skip("its length is no region's");
        };
        let bytes: u64 = list.memory.iter().map(|(_, length)| length).sum();
        if bytes != mr.pages() << page.log2() {
            return Ok(Err(format!(
                "the list has {bytes} bytes, and the region's pages {}",
                mr.pages() << page.log2()
            )));
        }
        let mut said = Vec::new();
        for step in [
            self.gathered(list, rules, page),
            self.mapped(list, rules, page),
            self.chosen(list, rules, page),
        ] {
            match step {
                Ok(Ok(text)) => said.push(text),
                Ok(Err(text)) => return Ok(Err(text)),
                Err(Skipped(why)) => said.push(format!("not compared: {why}")),
            }
        }
        Ok(Ok(said.join("; ")))
    }

    /// The pages, joined by the rules, are the kernel's entries.
    fn gathered(
        &self,
        list: &List,
        rules: &KernelRules,
        page: PageSize,
    ) -> Result<Result<String, String>, Skipped> {
        let (pfns, memory) = frames(list, page)?;
        let sg = Sg {
            page,
            pfns,
            max_segment: self.max_segment(),
            err: 0,
            sg: Some(memory),
        };
        Ok(match Vector::Sg(sg).replay(rules) {
            Ok(()) => Ok(format!("SG {}", list.memory.len())),
            Err(mismatch) => Err(mismatch.to_string()),
        })
    }

    /// The entries, mapped by the rules, are the device's list.
    fn mapped(
        &self,
        list: &List,
        rules: &KernelRules,
        page: PageSize,
    ) -> Result<Result<String, String>, Skipped> {
        let done = Ok(Ok(format!("DMA {}", list.dma.len())));
        if !self.is_translated() {
            // Physical addresses, or the kernel's own for software: one constant apart.
            return match one_constant(list) {
                Ok(0) => done,
                Ok(_) if !self.get.has_dma_device || !list.has_frames => done,
                Ok(constant) => Err(Skipped(format!(
                    "device addresses are {constant:#x} beside the physical ones"
                ))),
                Err(_) if self.get.dma_mask < 1 << 40 && self.get.has_dma_device => Err(Skipped(
                    "the device may not reach all memory, so pages may have been copied".into(),
                )),
                Err(text) => Ok(Err(text)),
            };
        }
        if self.get.domain_type.is_some_and(|kind| kind & 2 == 0) {
            return Err(Skipped(
                "the device's IOMMU domain is VFIO's or the like".into(),
            ));
        }
        let (pfns, memory) = frames(list, page)?;
        let dma = list
            .dma
            .iter()
            .map(|&(start, length)| (DmaAddr::new(start), length));
        let iommu = Iommu {
            page,
            iommu: None,
            pfns,
            max_segment: self.max_segment(),
            err: 0,
            sg: Some(memory),
            boundary: Some(Bits::new(self.boundary_mask())),
            maperr: Some(0),
            dma: Some(dma.collect()),
        };
        match Vector::Iommu(iommu).replay(rules) {
            Ok(()) => done,
            Err(mismatch) => Ok(Err(mismatch.to_string())),
        }
    }

    /// The page size that the rules choose is the kernel's.
    fn chosen(
        &self,
        list: &List,
        rules: &KernelRules,
        page: PageSize,
    ) -> Result<Result<String, String>, Skipped> {
        let (Some(best), Some(mr)) = (self.best, self.mr(page)) else {
            return Err(Skipped(match self.blocks {
                Some(_) => "the driver chose the page size by itself".into(),
                None => "no page size was chosen".into(),
            }));
        };
        let segments = list
            .dma
            .iter()
            .map(|&(start, length)| (DmaAddr::new(start), length));
        let bytes: u64 = list.dma.iter().map(|(_, length)| length).sum();
        if bytes != mr.pages() << page.log2() {
            return Ok(Err(format!(
                "the DMA list has {bytes} bytes, and the region's pages {}",
                mr.pages() << page.log2()
            )));
        }
        let sizes = PageSizes::from_bits(best.sizes);
        let ours = single::best_page_size(Consecutive::new(segments), &mr, sizes, rules);
        let ours = ours.map_or(0, PageSize::bytes);
        Ok(match ours == best.best {
            true => Ok(format!("page size {}", size_name(ours))),
            false => Err(format!(
                "page size: the kernel says {}, the rules say {}",
                size_name(best.best),
                size_name(ours)
            )),
        })
    }
}

fn size_name(bytes: u64) -> String {
    match PageSize::new(bytes) {
        Some(size) => size.to_string(),
        None => "none".to_owned(),
    }
}

/// Runs of frames, and the entries, as vectors have them.
type Frames = (Vec<(FrameNumber, u64)>, Vec<(PhysAddr, u64)>);

/// The list's memory as runs of frames that join whatever is adjacent, and as entries. Without frame numbers all lie one constant
/// beside where they are, which the rules do not mind; that constant is taken off as far as it can be.
fn frames(list: &List, page: PageSize) -> Result<Frames, Skipped> {
    let lowest = list.memory.iter().map(|(start, _)| *start).min();
    let off = match list.has_frames {
        true => 0,
        false => lowest.map_or(0, |lowest| page.align_down(lowest)),
    };
    let mut runs: Vec<(FrameNumber, u64)> = Vec::new();
    let mut memory = Vec::with_capacity(list.memory.len());
    for &(start, length) in &list.memory {
        let start = start - off;
        if start % page.bytes() != 0 || length % page.bytes() != 0 || length == 0 {
            return Err(Skipped(
                "the list has parts of pages, as no registration's has".into(),
            ));
        }
        let (frame, count) = (start >> page.log2(), length >> page.log2());
        match runs.last_mut() {
            Some((first, before)) if first.get() + *before == frame => *before += count,
            _ => runs.push((FrameNumber::new(frame), count)),
        }
        memory.push((PhysAddr::new(start), length));
    }
    Ok((runs, memory))
}

/// The one constant that lies between the device's addresses and the physical ones.
fn one_constant(list: &List) -> Result<u64, String> {
    if list.memory.len() != list.dma.len() {
        return Err(format!(
            "without translation there are {} device segments for {} entries",
            list.dma.len(),
            list.memory.len()
        ));
    }
    let mut pairs = list.memory.iter().zip(&list.dma);
    let constant = pairs
        .clone()
        .next()
        .map_or(0, |((memory, _), (dma, _))| dma.wrapping_sub(*memory));
    let strays = pairs.find(|((memory, length), (dma, dma_length))| {
        dma.wrapping_sub(*memory) != constant || length != dma_length
    });
    match strays {
        None => Ok(constant),
        Some(((memory, length), (dma, dma_length))) => Err(format!(
            "without translation {memory:#x} of {length} bytes has the device address {dma:#x} of {dma_length}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::seen::tests::seen;
    use super::*;

    fn judged(seen: &Seen) -> (Outcome, String) {
        let verdict = seen.judge(&Ok(*KernelRules::newest()), PageSize::K4);
        (verdict.verdict, verdict.text)
    }

    #[test]
    fn what_the_rules_say_too_is_equal() {
        assert_eq!(
            judged(&seen()),
            (Outcome::Equal, "SG 2; DMA 1; page size 4K".into())
        );
        let mut unknown = seen();
        unknown.list.as_mut().unwrap().has_frames = false;
        for (start, _) in &mut unknown.list.as_mut().unwrap().memory {
            *start += 0x03ff_fa80_0000_0000 << 2;
        }
        assert_eq!(judged(&unknown).0, Outcome::Equal);
        let mut software = seen();
        software.get.has_dma_device = false;
        let list = software.list.as_mut().unwrap();
        list.dma = list.memory.clone();
        list.dma
            .iter_mut()
            .for_each(|(start, _)| *start += 0xffff_8880_0000_0000);
        (software.best, software.blocks) = (None, None);
        assert_eq!(
            judged(&software),
            (
                Outcome::Equal,
                "SG 2; DMA 2; not compared: no page size was chosen".into()
            )
        );
    }

    #[test]
    fn each_changed_answer_is_noticed() {
        let changes: [fn(&mut Seen); 6] = [
            |seen| seen.list.as_mut().unwrap().memory[1].0 = 0x10_1000,
            |seen| seen.list.as_mut().unwrap().memory[0].1 = 0x2000,
            |seen| seen.list.as_mut().unwrap().dma[0].0 += 0x1000,
            |seen| seen.list.as_mut().unwrap().dma[0].1 = 0x1000,
            |seen| seen.best.as_mut().unwrap().best = 2 << 20,
            |seen| seen.get.domain_type = Some(4),
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut changed = seen();
            change(&mut changed);
            let (outcome, text) = judged(&changed);
            assert_eq!(outcome, Outcome::Differs, "{number}: {text}");
        }
    }

    #[test]
    fn what_cannot_be_compared_says_why() {
        let mut cut = seen();
        cut.list.as_mut().unwrap().missing = 3;
        let mut refused = seen();
        refused.get.umem = -12i64 as u64;
        let mut on_demand = seen();
        on_demand.get.kind = Kind::OnDemand;
        for (seen, words) in [
            (cut, "3 of the list's entries"),
            (refused, "refused"),
            (on_demand, "on demand"),
        ] {
            let (outcome, text) = judged(&seen);
            assert_eq!(outcome, Outcome::NotComparable);
            assert!(text.contains(words), "{text}");
        }
        let verdict = seen().judge(&Err("is Ubuntu's".into()), PageSize::K4);
        assert_eq!(
            (verdict.verdict, verdict.text.as_str()),
            (Outcome::NotComparable, "is Ubuntu's")
        );
    }
}
