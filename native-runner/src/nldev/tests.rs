//! Recorded and hostile bytes.

use super::{attribute::*, context::Context, socket::*, *};
use proptest::prelude::*;

/// An attribute as `nla_put()` writes it.
fn put(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = 4 + value.len() as u16;
    let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
    bytes.extend_from_slice(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn put_u32(kind: u16, value: u32) -> Vec<u8> {
    put(kind, &value.to_ne_bytes())
}

fn put_u64(kind: u16, value: u64) -> Vec<u8> {
    put(kind, &value.to_ne_bytes())
}

/// `NLA_F_NESTED`, as `nla_nest_start()` sets it and `nla_nest_start_noflag()` does not.
const NESTED: u16 = 0x8000;

/// `rdma_nl_put_driver_u32()`.
fn told(name: &str, value: u32) -> Vec<u8> {
    let mut text = name.as_bytes().to_vec();
    text.push(0);
    [put(DRIVER_STRING, &text), put_u32(DRIVER_U32, value)].concat()
}

fn one_region(more: &[u8]) -> Vec<u8> {
    let entry = [
        put_u32(RKEY, 0x1234),
        put_u64(LENGTH, 4 << 20),
        put_u32(REGION_NUMBER, 7),
        put_u32(PID, 4242),
        more.to_vec(),
    ];
    let table = put(REGIONS, &put(REGION, &entry.concat()));
    [put_u32(DEV_INDEX, 3), put(DEV_NAME, b"hns_0\0"), table].concat()
}

fn read_one(message: &[u8]) -> Region {
    let mut regions = Vec::new();
    region::read(message, &mut regions).unwrap();
    assert_eq!(regions.len(), 1);
    regions.remove(0)
}

#[test]
fn a_region_is_read_with_what_its_driver_adds() {
    let plain = read_one(&one_region(&[]));
    assert_eq!((plain.number, plain.length), (7, 4 << 20));
    assert_eq!(
        (plain.owner.clone(), plain.rkey),
        (Owner::Process(4242), Some(0x1234))
    );
    assert_eq!(plain.told.page_size(), None);
    let hns = [
        told("pbl_hop_num", 1),
        told("ba_pg_shift", 2),
        told("buf_pg_shift", 21),
    ]
    .concat();
    let hns = read_one(&one_region(&put(DRIVER | NESTED, &hns)));
    assert_eq!(hns.told.page_size(), Some((2 << 20, "buf_pg_shift")));
    let bnxt = [
        told("page_size", 65536),
        told("max_elements", 64),
        told("element_size", 8),
    ]
    .concat();
    let bnxt = read_one(&one_region(&put(DRIVER | NESTED, &bnxt)));
    assert_eq!(bnxt.told.page_size(), Some((65536, "page_size")));
    assert_eq!(bnxt.told.numbers["max_elements"], 64);
    let chelsio = [told("ps", 9), told("pbl_addr", 0x100)].concat();
    let chelsio = read_one(&one_region(&put(DRIVER, &chelsio)));
    assert_eq!(chelsio.told.page_size(), Some((2 << 20, "ps")));
    let odp = [
        put(DRIVER_STRING, b"odp\0"),
        put(DRIVER_STRING, b"implicit\0"),
    ]
    .concat();
    let odp = read_one(&one_region(&put(DRIVER | NESTED, &odp)));
    assert_eq!(odp.told.texts["odp"], "implicit");
}

#[test]
fn a_page_size_that_is_none_is_not_believed() {
    for (name, value) in [
        ("buf_pg_shift", 64),
        ("buf_pg_shift", 3),
        ("page_size", 4097),
        ("page_size", 0),
    ] {
        let region = read_one(&one_region(&put(DRIVER, &told(name, value))));
        assert_eq!(region.told.page_size(), None, "{name} {value}");
    }
}

#[test]
fn who_owns_a_region_is_told_or_said_to_be_unknown() {
    let table = |more: Vec<u8>| {
        put(
            REGIONS,
            &put(
                REGION,
                &[put_u64(LENGTH, 4096), put_u32(REGION_NUMBER, 1), more].concat(),
            ),
        )
    };
    assert_eq!(read_one(&table(Vec::new())).owner, Owner::Elsewhere);
    let kernel = read_one(&table(put(KERNEL_NAME, b"nvme_rdma\0")));
    assert_eq!(kernel.owner, Owner::Kernel("nvme_rdma".to_owned()));
}

#[test]
fn pools_are_read() {
    let key = [put_u64(POOL_KEY_BLOCKS, 512), put_u64(POOL_KEY_VENDOR, 1)].concat();
    let entry = [
        put(POOL_KEY, &key),
        put_u32(POOL_HANDLES, 3),
        put_u64(POOL_MAX_IN_USE, 9),
        put_u64(POOL_IN_USE, 2),
    ];
    let mut pools = Vec::new();
    pool::read(&put(POOLS, &put(POOL, &entry.concat())), &mut pools).unwrap();
    let expected = Pool {
        blocks: 512,
        vendor_key: 1,
        waiting: 3,
        in_use: 2,
        most_in_use: 9,
    };
    assert_eq!(pools, [expected]);
}

/// A dump as mlx5's firmware makes it: a command segment, a resource segment, QUERY_MKEY's output, and in it the mkc.
fn mlx5(start: u64, length: u64, log_page_size: u8, mode: u8) -> Vec<u8> {
    let mut bytes = vec![0; 20 + 16 + 16 + 64];
    let mkc = &mut bytes[52..];
    mkc[2] = mode;
    mkc[7] = 0x34;
    mkc[0x10..0x18].copy_from_slice(&start.to_be_bytes());
    mkc[0x18..0x20].copy_from_slice(&length.to_be_bytes());
    mkc[0x34..0x38].copy_from_slice(&256u32.to_be_bytes());
    // relaxed_ordering_read is next to it.
    mkc[0x3b] = 0x40 | log_page_size;
    bytes
}

fn context(bytes: &[u8]) -> Context {
    context::read(&put(RAW, bytes)).unwrap().unwrap()
}

#[test]
fn the_mkey_is_found_by_the_regions_length_and_key() {
    let raw = context(&mlx5(0x7f00_0000_1000, 4 << 20, 21, 1));
    let mkey = raw.mkey(4 << 20, Some(0x1234)).unwrap();
    assert_eq!(
        (mkey.start, mkey.page_size, mkey.octowords),
        (0x7f00_0000_1000, Some(2 << 20), 256)
    );
    assert_eq!(raw.mkey(8 << 20, Some(0x1234)), None, "another length");
    assert_eq!(raw.mkey(4 << 20, Some(0x1235)), None, "another key");
    let physical = context(&mlx5(0, 4 << 20, 0, 0));
    assert_eq!(physical.mkey(4 << 20, None).unwrap().page_size, None);
    let nonsense = context(&mlx5(0, 4 << 20, 3, 1));
    assert_eq!(nonsense.mkey(4 << 20, None), None, "pages of 8 bytes");
    let twice = [mlx5(0, 4 << 20, 12, 1), mlx5(0, 4 << 20, 21, 1)].concat();
    assert_eq!(context(&twice).mkey(4 << 20, None), None, "two of them");
}

/// A message with this header.
fn message(kind: u16, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let length = 16 + payload.len() as u32;
    let mut bytes = length.to_ne_bytes().to_vec();
    bytes.extend_from_slice(&kind.to_ne_bytes());
    bytes.extend_from_slice(&2u16.to_ne_bytes());
    bytes.extend_from_slice(&sequence.to_ne_bytes());
    bytes.extend_from_slice(&0u32.to_ne_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

#[test]
fn an_answer_ends_with_its_end_or_its_error() {
    let region = message(CLIENT | 13, 5, &one_region(&[]));
    let done = message(3, 5, &0i32.to_ne_bytes());
    let mut answer = Answer::new(5);
    assert!(
        !answer
            .add(&[region.clone(), region.clone()].concat(), true)
            .unwrap()
    );
    // An answer to an earlier question comes late.
    assert!(
        !answer
            .add(&message(3, 4, &0i32.to_ne_bytes()), true)
            .unwrap()
    );
    assert!(answer.add(&[region.clone(), done].concat(), true).unwrap());
    assert_eq!(answer.messages.len(), 3);
    let refused = message(2, 5, &(-libc::EPERM).to_ne_bytes());
    let error = Answer::new(5).add(&refused, false).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::EPERM));
    assert!(
        Answer::new(5).add(&region, false).unwrap(),
        "one answer is all"
    );
    assert!(Answer::new(5).add(&message(2, 5, &[]), true).is_err());
    assert!(Answer::new(5).add(&[], true).is_err());
    assert!(Answer::new(5).add(&region[..20], true).is_err());
}

#[test]
fn a_question_is_a_message_of_netlink() {
    let bytes = Question::one(Command::RawRegion, 3, 7).message(9);
    let expected = [
        &[32, 0, 0, 0, 21, 5 << 2, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0][..],
        &put_u32(1, 3),
        &put_u32(62, 7),
    ];
    #[cfg(target_endian = "little")]
    assert_eq!(bytes, expected.concat());
    let dump = Question::all(Command::Get, None).message(1);
    assert_eq!(dump.len(), 16);
}

/// This machine's kernel, if it has RDMA; else it says so at once.
#[test]
fn the_kernel_answers_or_refuses() {
    match Nldev::open().and_then(|mut kernel| kernel.devices()) {
        Ok(devices) => assert!(devices.iter().all(|device| !device.name.is_empty())),
        Err(error) => assert!(error.raw_os_error().is_some(), "{error}"),
    }
}

/// Attributes that may be nested, cut, too long, or nothing at all.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop::collection::vec(any::<u8>(), 0..24);
    let tree = leaf.prop_recursive(4, 24, 4, |inner| {
        let kinds = prop::sample::select(vec![
            REGIONS,
            REGION,
            DRIVER,
            POOLS,
            POOL,
            POOL_KEY,
            PID,
            LENGTH,
            REGION_NUMBER,
            DRIVER_STRING,
            DRIVER_U32,
            DRIVER_U64,
            RAW,
            DEV_INDEX,
            DEV_NAME,
        ]);
        prop::collection::vec((kinds, inner), 0..5).prop_map(|list| {
            list.iter()
                .flat_map(|(kind, value)| put(*kind, value))
                .collect()
        })
    });
    (
        tree,
        any::<prop::sample::Index>(),
        any::<u8>(),
        any::<bool>(),
    )
        .prop_map(|(mut bytes, at, byte, cut)| {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
                if cut {
                    bytes.truncate(at);
                }
            }
            bytes
        })
}

proptest! {
    #[test]
    fn hostile_bytes_are_an_answer_or_an_error(bytes in hostile(), sequence in 0u32..3, kind in 0u16..8, length in any::<u64>()) {
        let _ = device(&bytes);
        let (mut regions, mut pools) = (Vec::new(), Vec::new());
        let _ = region::read(&bytes, &mut regions);
        let _ = pool::read(&bytes, &mut pools);
        // Nothing is made up: each takes at least a header.
        prop_assert!(regions.len() * 4 <= bytes.len() && pools.len() * 4 <= bytes.len());
        for region in &regions {
            let size = region.told.page_size();
            prop_assert!(size.is_none_or(|(size, _)| size.is_power_of_two()));
        }
        let raw = context::read(&put(RAW, &bytes)).unwrap().unwrap();
        let _ = raw.mkey(length, None);
        let _ = Answer::new(1).add(&message(kind, sequence, &bytes), true);
        let _ = Answer::new(1).add(&bytes, true);
    }
}
