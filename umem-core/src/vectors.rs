//! Vectors: questions with a real kernel's answers, recorded in the lab and replayed anywhere.
//!
//! One JSON object a line. Pages are 4K. Three kinds: `best` (the best page size and its blocks), `sg` (coalescing) and `iommu`
//! (mapping through an IOMMU).

use crate::{
    address::{DmaAddr, Extent, PhysAddr},
    iommu::{self, DmaList, DmaSegment, Iova, MapError, Translation},
    kernel::KernelRules,
    memory::FrameRun,
    scatter::{self, ScatterList, SgEntry},
    scenario::ScenarioError,
    size::{PageSize, PageSizes},
    table::{EntryRun, Mr, single},
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;
use serde::{Deserialize, Serialize};

/// A question and the kernel's answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Vector {
    /// Which page size is best, and which blocks it has.
    Best(Best),
    /// How pages are coalesced.
    Sg(Sg),
    /// How a list is mapped.
    Iommu(Iommu),
}

/// `ib_umem_find_best_pgsz()` and `rdma_umem_for_each_dma_block()`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Best {
    /// `ib_umem.address`.
    pub address: DmaAddr,
    /// `ib_umem.length` in bytes.
    pub length: u64,
    /// The HCA address.
    pub virt: DmaAddr,
    /// The bitmap of page sizes.
    pub sizes: DmaAddr,
    /// The DMA list: address and length of whole pages. The region starts `address` mod 4096 into the first.
    pub dma: Vec<(DmaAddr, u64)>,
    /// The best page size in bytes; 0 where nothing fits.
    pub best: u64,
    /// How many blocks there are; left out where nothing fits, or there are more than 2^18.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocks: Option<u64>,
    /// The first block's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<DmaAddr>,
    /// The last block's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<DmaAddr>,
    /// All blocks' addresses, hashed: see [`hash`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<DmaAddr>,
}

/// `sg_alloc_append_table_from_pages()`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sg {
    /// Runs of page frame numbers: the first, and how many.
    pub pfns: Vec<(PhysAddr, u64)>,
    /// The maximum segment in bytes.
    pub max_segment: u32,
    /// 0, or a negative errno.
    pub err: i32,
    /// The list: address and length in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sg: Option<Vec<(PhysAddr, u64)>>,
}

/// `dma_map_sgtable()` behind an IOMMU.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Iommu {
    /// Runs of page frame numbers: the first, and how many.
    pub pfns: Vec<(PhysAddr, u64)>,
    /// The maximum segment in bytes.
    pub max_segment: u32,
    /// 0, or the negative errno of coalescing.
    pub err: i32,
    /// The scatter-gather list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sg: Option<Vec<(PhysAddr, u64)>>,
    /// The segment boundary as a mask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boundary: Option<DmaAddr>,
    /// 0, or the negative errno of mapping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maperr: Option<i32>,
    /// The DMA list: IOVA and length. Where it begins is the kernel's choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dma: Option<Vec<(DmaAddr, u64)>>,
}

/// An answer of the rules that is not the kernel's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mismatch {
    /// The vector's field.
    pub field: &'static str,
    /// The kernel's answer.
    pub kernel: String,
    /// The rules' answer.
    pub rules: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: the kernel says {}, the rules say {}",
            self.field, self.kernel, self.rules
        )
    }
}

impl core::error::Error for Mismatch {}

const PAGE: PageSize = PageSize::K4;
const EINVAL: i32 = -22;
const ENOMEM: i32 = -12;

/// Block lists of up to this many blocks are recorded.
pub const MOST_BLOCKS: u64 = 1 << 18;

/// The hash of a list of block addresses: h = 0xcbf29ce484222325, then for each address *a*:
/// h = (h xor *a*) · 0x100000001b3, modulo 2^64.
pub fn hash(addresses: impl IntoIterator<Item = u64>) -> u64 {
    addresses
        .into_iter()
        .fold(0xcbf2_9ce4_8422_2325, |h, address| {
            (h ^ address).wrapping_mul(0x100_0000_01b3)
        })
}

impl Vector {
    /// Reads one line.
    ///
    /// # Errors
    /// JSON that is malformed, an unknown kind or field, or a list that no kernel could have been asked about.
    pub fn from_json(line: &str) -> Result<Self, ScenarioError> {
        #[derive(Deserialize)]
        struct Kind {
            kind: String,
        }
        let wrong = |error: serde_json::Error| ScenarioError::new("", error);
        // The rest of the object is read once its kind is known, so that its errors have a place.
        let mut fields: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(line).map_err(wrong)?;
        let Kind { kind } = match fields.remove("kind") {
            Some(serde_json::Value::String(kind)) => Kind { kind },
            _ => return Err(ScenarioError::new("kind", "is missing, or no text")),
        };
        let fields = serde_json::Value::Object(fields);
        fn read<T: for<'de> Deserialize<'de>>(
            fields: serde_json::Value,
        ) -> Result<T, ScenarioError> {
            serde_path_to_error::deserialize(fields)
                .map_err(|error| ScenarioError::new(error.path().to_string(), error.inner()))
        }
        let vector = match kind.as_str() {
            "best" => Self::Best(read(fields)?),
            "sg" => Self::Sg(read(fields)?),
            "iommu" => Self::Iommu(read(fields)?),
            other => {
                return Err(ScenarioError::new(
                    "kind",
                    format_args!("\"{other}\" is not known here; there are best, sg, iommu"),
                ));
            }
        };
        vector.check()?;
        Ok(vector)
    }

    /// The name of its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Best(_) => "best",
            Self::Sg(_) => "sg",
            Self::Iommu(_) => "iommu",
        }
    }

    fn check(&self) -> Result<(), ScenarioError> {
        match self {
            Self::Best(best) => best.check(),
            Self::Sg(Sg { pfns, .. }) | Self::Iommu(Iommu { pfns, .. }) => frames(pfns).map(drop),
        }
    }

    /// Asks the rules the same question.
    ///
    /// # Errors
    /// The first field in which their answer differs.
    pub fn replay(&self, rules: &KernelRules) -> Result<(), Mismatch> {
        match self {
            Self::Best(best) => best.replay(rules),
            Self::Sg(sg) => {
                coalesce(&sg.pfns, sg.max_segment, sg.err, sg.sg.as_deref(), rules).map(drop)
            }
            Self::Iommu(iommu) => iommu.replay(rules),
        }
    }
}

fn same<T: PartialEq + fmt::Debug>(
    field: &'static str,
    kernel: &T,
    rules: &T,
) -> Result<(), Mismatch> {
    if kernel == rules {
        return Ok(());
    }
    Err(Mismatch {
        field,
        kernel: format!("{kernel:?}"),
        rules: format!("{rules:?}"),
    })
}

impl Best {
    fn mr(&self) -> Mr {
        let address = self.address.get();
        Mr {
            address,
            length: self.length,
            hca_address: self.virt.get(),
            page: PAGE,
            offset: address & PAGE.mask(),
        }
    }

    fn segments(&self) -> impl Iterator<Item = DmaSegment> + Clone + '_ {
        self.dma.iter().scan(0u64, |offset, &(start, length)| {
            let segment = Extent {
                offset: *offset,
                start,
                length,
            };
            *offset += length;
            Some(segment)
        })
    }

    fn check(&self) -> Result<(), ScenarioError> {
        let mut total = 0u64;
        for (i, &(start, length)) in self.dma.iter().enumerate() {
            let wrong = |problem| ScenarioError::new(format_args!("dma[{i}]"), problem);
            if length == 0 || !PAGE.divides(length) || !PAGE.divides(start.get()) {
                return Err(wrong("is not made of whole pages of 4096 bytes"));
            }
            start
                .checked_add(length)
                .ok_or_else(|| wrong("leaves the address space"))?;
            total = total
                .checked_add(length)
                .filter(|total| *total < 1 << 62)
                .ok_or_else(|| wrong("makes the list too long"))?;
        }
        let mr = self.mr();
        if self.length == 0 || self.length >= 1 << 62 || mr.pages() << PAGE.log2() != total {
            return Err(ScenarioError::new(
                "length",
                format_args!(
                    "{} bytes from {} are not the pages of dma ({total} bytes)",
                    self.length, self.address
                ),
            ));
        }
        Ok(())
    }

    /// What the rules answer: the question with everything after `dma` filled in.
    pub fn answer(&self, rules: &KernelRules) -> Self {
        let mr = self.mr();
        let best = single::best_page_size(
            self.segments(),
            &mr,
            PageSizes::from_bits(self.sizes.get()),
            rules,
        );
        let mut answer = Self {
            best: best.map_or(0, PageSize::bytes),
            blocks: None,
            first: None,
            last: None,
            hash: None,
            ..self.clone()
        };
        if let Some(size) = best.filter(|size| single::block_count(&mr, *size) <= MOST_BLOCKS) {
            let addresses = || {
                let runs = single::Single::new(self.segments(), &mr, size, rules);
                runs.flat_map(EntryRun::entries).map(|entry| entry.address)
            };
            answer.blocks = Some(addresses().count() as u64);
            answer.first = addresses().next();
            answer.last = addresses().last();
            answer.hash = Some(DmaAddr::new(hash(addresses().map(DmaAddr::get))));
        }
        answer
    }

    fn replay(&self, rules: &KernelRules) -> Result<(), Mismatch> {
        let answer = self.answer(rules);
        same("best", &self.best, &answer.best)?;
        same("blocks", &self.blocks, &answer.blocks)?;
        same("first", &self.first, &answer.first)?;
        same("last", &self.last, &answer.last)?;
        same("hash", &self.hash, &answer.hash)
    }
}

/// The runs of frames, with their offsets.
fn frames(pfns: &[(PhysAddr, u64)]) -> Result<Vec<FrameRun>, ScenarioError> {
    let mut offset = 0u64;
    let mut runs = Vec::with_capacity(pfns.len());
    for (i, &(pfn, count)) in pfns.iter().enumerate() {
        let wrong = |problem| ScenarioError::new(format_args!("pfns[{i}]"), problem);
        let bytes = |pages: u64| {
            pages
                .checked_mul(PAGE.bytes())
                .ok_or_else(|| wrong("leaves the address space"))
        };
        let (start, length) = (PhysAddr::new(bytes(pfn.get())?), bytes(count)?);
        if length == 0 {
            return Err(wrong("is empty"));
        }
        start
            .checked_add(length)
            .ok_or_else(|| wrong("leaves the address space"))?;
        runs.push(Extent {
            offset,
            start,
            length,
        });
        offset = offset
            .checked_add(length)
            .filter(|offset| *offset < 1 << 62)
            .ok_or_else(|| wrong("makes the list too long"))?;
    }
    Ok(runs)
}

/// Compares coalescing; the entries of the rules, unless the kernel refused.
fn coalesce(
    pfns: &[(PhysAddr, u64)],
    max_segment: u32,
    err: i32,
    sg: Option<&[(PhysAddr, u64)]>,
    rules: &KernelRules,
) -> Result<Option<Vec<SgEntry>>, Mismatch> {
    let longest = scatter::longest_entry(max_segment, PAGE);
    same("err", &err, &if longest.is_some() { 0 } else { EINVAL })?;
    let Some(longest) = longest else {
        same("sg", &sg, &None)?;
        return Ok(None);
    };
    let runs = frames(pfns).unwrap_or_default();
    let entries: Vec<_> =
        ScatterList::new(runs.into_iter(), longest, rules.coalescing, PAGE).collect();
    let list: Vec<_> = entries
        .iter()
        .map(|entry| (entry.start, entry.length))
        .collect();
    same("sg", &sg, &Some(&list[..]))?;
    Ok(Some(entries))
}

impl Iommu {
    fn replay(&self, rules: &KernelRules) -> Result<(), Mismatch> {
        let Some(entries) = coalesce(
            &self.pfns,
            self.max_segment,
            self.err,
            self.sg.as_deref(),
            rules,
        )?
        else {
            return same("maperr", &self.maperr, &None);
        };
        let boundary = self.boundary.map_or(u64::from(u32::MAX), DmaAddr::get);
        let Some(segment_boundary) = boundary.checked_add(1).and_then(PageSize::new) else {
            return Err(Mismatch {
                field: "boundary",
                kernel: format!("{boundary:#x}"),
                rules: "a power of two less one".to_string(),
            });
        };
        let start = self
            .dma
            .as_ref()
            .and_then(|dma| dma.first())
            .map_or(DmaAddr::new(0), |(start, _)| *start);
        let translation = Translation {
            iova: Iova::At(start),
            segment_boundary,
            address_bits: 64,
            ..iommu::CATALOGUE[0].translation()
        };
        let mapped = translation.map(entries.iter().copied());
        let errno = match &mapped {
            Ok(_) => 0,
            Err(MapError::PadOverflow { .. }) => EINVAL,
            Err(MapError::Exhausted { .. }) => ENOMEM,
        };
        same("maperr", &self.maperr.unwrap_or(0), &errno)?;
        let Ok(mapping) = mapped else {
            return same("dma", &self.dma, &None);
        };
        let aligned = mapping
            .length
            .checked_next_power_of_two()
            .and_then(PageSize::new);
        if let Some(size) = aligned.filter(|size| start.offset_in(*size) != 0) {
            return Err(Mismatch {
                field: "dma",
                kernel: format!("the mapping begins at {start}"),
                rules: format!("at a multiple of {size}"),
            });
        }
        let list: Vec<_> =
            DmaList::translated(entries.into_iter(), translation, mapping, self.max_segment)
                .map(|segment| (segment.start, segment.length))
                .collect();
        same("dma", &self.dma, &Some(list))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = include_str!("../tests/vectors/linux-6.1.192.jsonl");

    #[test]
    fn the_kernel_and_the_rules_agree() {
        let mut kinds = [0; 3];
        for line in SAMPLE.lines() {
            let vector = Vector::from_json(line).unwrap();
            kinds[match vector {
                Vector::Best(_) => 0,
                Vector::Sg(_) => 1,
                Vector::Iommu(_) => 2,
            }] += 1;
            vector
                .replay(KernelRules::newest())
                .unwrap_or_else(|mismatch| panic!("{mismatch}\n{line}"));
        }
        assert!(kinds.iter().all(|count| *count >= 10), "{kinds:?}");
    }

    #[test]
    fn a_wrong_answer_is_noticed() {
        for line in SAMPLE.lines() {
            let wrong = match Vector::from_json(line).unwrap() {
                Vector::Best(best) => Vector::Best(Best {
                    best: best.best * 2 + 1,
                    ..best
                }),
                Vector::Sg(mut sg) => {
                    sg.sg = sg.sg.map(|mut list| {
                        list[0].1 += 4096;
                        list
                    });
                    sg.err ^= i32::from(sg.sg.is_none());
                    Vector::Sg(sg)
                }
                Vector::Iommu(mut iommu) => {
                    iommu.dma = iommu.dma.map(|mut list| {
                        list[0].0 = DmaAddr::new(list[0].0.get() + 4096);
                        list
                    });
                    iommu.err ^= i32::from(iommu.dma.is_none());
                    Vector::Iommu(iommu)
                }
            };
            assert!(wrong.replay(KernelRules::newest()).is_err(), "{line}");
        }
    }

    #[test]
    fn malformed_lines_are_refused_with_a_place() {
        let error = |line: &str| Vector::from_json(line).unwrap_err().to_string();
        assert!(error("{\"kind\":\"worst\"}").starts_with("kind: \"worst\" is not known here"));
        assert!(error("{}").starts_with("kind: is missing"));
        assert!(
            error(r#"{"kind":"sg","pfns":[["0x1",0]],"max_segment":4096,"err":0}"#)
                .starts_with("pfns[0]: is empty")
        );
        assert!(
            error(r#"{"kind":"sg","pfns":[["0xffffffffffffffff",1]],"max_segment":4096,"err":0}"#)
                .contains("leaves the address space")
        );
        assert!(
            error(r#"{"kind":"sg","pfns":[],"max_segment":4096,"err":0,"more":1}"#)
                .contains("more")
        );
    }
}
