//! Vectors: questions with a real kernel's answers, recorded in the lab and replayed anywhere.
//!
//! One JSON object a line, of a kernel with pages of `page` bytes. Four kinds: `best` (the best page size and its blocks), `sg` (coalescing), `iommu`
//! (mapping through an IOMMU) and `dma-buf` (what another driver exports, mapped and cut to a region).

use crate::{
    address::{Bits, DmaAddr, FrameNumber, PhysAddr, VirtAddr},
    kernel::KernelRules,
    scenario::{Problem, ScenarioError},
    size::PageSize,
};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use serde::{Deserialize, Serialize};

mod dma_buf;
mod replay;

pub use dma_buf::DmaBuf;

/// A question and the kernel's answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Vector {
    /// Which page size is best, and which blocks it has.
    Best(Best),
    /// How pages are coalesced.
    Sg(Sg),
    /// How a list is mapped.
    Iommu(Iommu),
    /// How a dma-buf is mapped and cut.
    DmaBuf(DmaBuf),
}

/// `ib_umem_find_best_pgsz()` and `rdma_umem_for_each_dma_block()`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Best {
    /// The kernel's page.
    #[serde(
        default = "page",
        with = "page_bytes",
        skip_serializing_if = "is_default_page"
    )]
    pub page: PageSize,
    /// `ib_umem.address`.
    pub address: VirtAddr,
    /// `ib_umem.length` in bytes.
    pub length: u64,
    /// The HCA address.
    pub virt: VirtAddr,
    /// The bitmap of page sizes.
    pub sizes: Bits,
    /// The DMA list: address and length of whole pages. The region starts `address` mod `page` into the first.
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
    pub hash: Option<Bits>,
}

/// `sg_alloc_append_table_from_pages()`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sg {
    /// The kernel's page.
    #[serde(
        default = "page",
        with = "page_bytes",
        skip_serializing_if = "is_default_page"
    )]
    pub page: PageSize,
    /// Runs of page frame numbers: the first, and how many.
    pub pfns: Vec<(FrameNumber, u64)>,
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
    /// The kernel's page.
    #[serde(
        default = "page",
        with = "page_bytes",
        skip_serializing_if = "is_default_page"
    )]
    pub page: PageSize,
    /// Runs of page frame numbers: the first, and how many.
    pub pfns: Vec<(FrameNumber, u64)>,
    /// Behind which IOMMU, by its name in the catalogue, or "off"; any whose lists are one allocation if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iommu: Option<String>,
    /// The maximum segment in bytes.
    pub max_segment: u32,
    /// 0, or the negative errno of coalescing.
    pub err: i32,
    /// The scatter-gather list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sg: Option<Vec<(PhysAddr, u64)>>,
    /// The segment boundary as a mask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boundary: Option<Bits>,
    /// 0, or the negative errno of mapping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maperr: Option<i32>,
    /// The DMA list: IOVA and length. Where it begins is the kernel's choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dma: Option<Vec<(DmaAddr, u64)>>,
}

/// A difference between the rules' answer and the kernel's.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{field}: the kernel says {kernel}, the rules say {rules}")]
pub struct Mismatch {
    /// The vector's field.
    pub field: &'static str,
    /// The kernel's answer.
    pub kernel: String,
    /// The rules' answer.
    pub rules: String,
}

/// The page of vectors that name none.
fn page() -> PageSize {
    PageSize::K4
}

fn is_default_page(size: &PageSize) -> bool {
    *size == page()
}

/// A kernel's page as its bytes.
mod page_bytes {
    use crate::size::PageSize;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(page: &PageSize, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(page.bytes())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<PageSize, D::Error> {
        let bytes = u64::deserialize(from)?;
        PageSize::new(bytes)
            .filter(|page| (12..=18).contains(&page.log2()))
            .ok_or_else(|| {
                D::Error::custom(format_args!(
                    "{bytes} is not a kernel's page: a power of two from 4096 to 262144"
                ))
            })
    }
}

/// Block lists of up to this many blocks are recorded.
pub const MOST_BLOCKS: u64 = 1 << 18;

/// The hash of a list of block addresses: h = 0xcbf29ce484222325, then for each address *a*:
/// h = (h xor *a*) · 0x100000001b3, modulo 2^64.
pub fn hash(addresses: impl IntoIterator<Item = DmaAddr>) -> Bits {
    let step = |h: u64, address: DmaAddr| (h ^ address.get()).wrapping_mul(0x100_0000_01b3);
    Bits::new(addresses.into_iter().fold(0xcbf2_9ce4_8422_2325, step))
}

impl Vector {
    /// Reads one line.
    ///
    /// # Errors
    /// JSON that is malformed, an unknown kind or field, or a list that no kernel could have been asked about.
    pub fn from_json(line: &str) -> Result<Self, ScenarioError> {
        let wrong =
            |error: serde_json::Error| ScenarioError::new("", Problem::Json(error.to_string()));
        // The rest of the object is read once its kind is known, so that its errors have a place.
        let mut fields: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(line).map_err(wrong)?;
        let kind = match fields.remove("kind") {
            Some(serde_json::Value::String(kind)) => kind,
            _ => {
                let problem = Problem::Json("is missing, or not a text".into());
                return Err(ScenarioError::new("kind", problem));
            }
        };
        let fields = serde_json::Value::Object(fields);
        fn read<T: for<'de> Deserialize<'de>>(
            fields: serde_json::Value,
        ) -> Result<T, ScenarioError> {
            serde_path_to_error::deserialize(fields).map_err(|error| {
                let problem = Problem::Json(error.inner().to_string());
                ScenarioError::new(error.path(), problem)
            })
        }
        let vector = match kind.as_str() {
            "best" => Self::Best(read(fields)?),
            "sg" => Self::Sg(read(fields)?),
            "iommu" => Self::Iommu(read(fields)?),
            "dma-buf" => Self::DmaBuf(read(fields)?),
            other => {
                let problem = Problem::Unknown {
                    name: other.into(),
                    known: ["best", "sg", "iommu", "dma-buf"].into(),
                };
                return Err(ScenarioError::new("kind", problem));
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
            Self::DmaBuf(_) => "dma-buf",
        }
    }

    fn check(&self) -> Result<(), ScenarioError> {
        match self {
            Self::Best(best) => best.check(),
            Self::Sg(Sg { pfns, page, .. }) => replay::frames(pfns, *page).map(drop),
            Self::Iommu(iommu) => {
                replay::frames(&iommu.pfns, iommu.page)?;
                Iommu::check_name(iommu.iommu.as_deref())
            }
            Self::DmaBuf(buffer) => buffer.check(),
        }
    }

    /// Computes the answer of the rules and compares it.
    ///
    /// # Errors
    /// The first field in which their answer differs.
    pub fn replay(&self, rules: &KernelRules) -> Result<(), Mismatch> {
        match self {
            Self::Best(best) => best.replay(rules),
            Self::Sg(sg) => {
                let sg_list = sg.sg.as_deref();
                replay::coalesce(&sg.pfns, sg.page, sg.max_segment, sg.err, sg_list, rules)
                    .map(drop)
            }
            Self::Iommu(iommu) => iommu.replay(rules),
            Self::DmaBuf(buffer) => buffer.replay(rules),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    const SAMPLE: &str = include_str!("../tests/vectors/linux-6.1.192.jsonl");

    #[test]
    fn the_kernel_and_the_rules_agree() {
        let mut kinds = [0; 4];
        for line in SAMPLE.lines() {
            let vector = Vector::from_json(line).unwrap();
            kinds[match vector {
                Vector::Best(_) => 0,
                Vector::Sg(_) => 1,
                Vector::Iommu(_) => 2,
                Vector::DmaBuf(_) => 3,
            }] += 1;
            vector
                .replay(KernelRules::newest())
                .unwrap_or_else(|mismatch| panic!("{mismatch}\n{line}"));
        }
        assert!(kinds[..3].iter().all(|count| *count >= 10), "{kinds:?}");
    }

    /// Kernels with pages of 16K behind an SMMUv3, and of 64K behind POWER's tables and its direct window.
    #[test]
    fn kernels_with_other_pages_agree_too() {
        let sample = include_str!("../tests/vectors/linux-pages.jsonl");
        for line in sample.lines() {
            let vector = Vector::from_json(line).unwrap();
            vector
                .replay(KernelRules::newest())
                .unwrap_or_else(|mismatch| panic!("{mismatch}\n{line}"));
        }
    }

    /// What Linux 6.12.118 made of udmabuf's buffers behind VT-d.
    #[test]
    fn exported_buffers_are_cut_as_the_kernel_cuts_them() {
        let sample = include_str!("../tests/vectors/dma-buf.jsonl");
        for line in sample.lines() {
            let vector = Vector::from_json(line).unwrap();
            assert_eq!(vector.kind(), "dma-buf");
            vector
                .replay(KernelRules::newest())
                .unwrap_or_else(|mismatch| panic!("{mismatch}\n{line}"));
            let Vector::DmaBuf(mut wrong) = vector else {
                panic!("{line}");
            };
            wrong.region.dma.pop();
            let wrong = Vector::DmaBuf(wrong);
            assert!(wrong.replay(KernelRules::newest()).is_err(), "{line}");
        }
    }

    /// AMD's IOMMU maps up to the last byte, once Linux has run out of 32-bit addresses (6.12.95).
    #[test]
    fn a_mapping_may_end_with_the_address_space() {
        let vector = |iova: &str| {
            Vector::from_json(&format!(
                r#"{{"kind":"iommu","pfns":[["0x100000",262144]],"max_segment":4294967295,"err":0,"sg":[["0x100000000",1073741824]],
                    "boundary":"0xffffffff","maperr":0,"dma":[["{iova}",1073741824]]}}"#
            ))
            .unwrap()
            .replay(KernelRules::newest())
        };
        assert_eq!(vector("0xffffffffc0000000"), Ok(()));
        assert_eq!(vector("0xffffffff80000000"), Ok(()));
        assert!(vector("0xffffffffe0000000").is_err(), "beyond it");
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
                        list[0].0 = list[0].0 + 4096;
                        list
                    });
                    iommu.err ^= i32::from(iommu.dma.is_none());
                    Vector::Iommu(iommu)
                }
                Vector::DmaBuf(_) => panic!("there is none here: {line}"),
            };
            assert!(wrong.replay(KernelRules::newest()).is_err(), "{line}");
        }
    }

    #[test]
    fn no_boundary_at_all_is_a_mask_of_ones() {
        let line = r#"{"kind":"iommu","pfns":[["0x40000",1],["0x50000",1]],"max_segment":4294967295,"err":0,
            "sg":[["0x40000000",4096],["0x50000000",4096]],"boundary":"0xffffffffffffffff","maperr":0,
            "dma":[["0xfffe000",8192]]}"#;
        let vector = Vector::from_json(line).unwrap();
        assert_eq!(vector.replay(KernelRules::newest()), Ok(()));
        // With a boundary of 4K each page is a segment.
        let cut = Vector::from_json(&line.replace("0xffffffffffffffff", "0xfff")).unwrap();
        assert_eq!(cut.replay(KernelRules::newest()).unwrap_err().field, "dma");
    }

    // Found by the fuzz target `vector`: a billion entries were gathered to compare them with the one recorded.
    #[test]
    fn what_the_rules_make_of_a_short_line_is_never_long() {
        let line = r#"{"kind":"sg","pfns":[["0x10",2334712001]],"max_segment":8192,"err":0,"sg":[["0x10000",8192]]}"#;
        for line in [line, &line.replace("\"sg\",", "\"iommu\",")] {
            let vector = Vector::from_json(line).unwrap();
            let mismatch = vector.replay(KernelRules::newest()).unwrap_err();
            assert_eq!(mismatch.field, "sg");
            assert!(mismatch.rules.len() < 200, "{mismatch}");
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
