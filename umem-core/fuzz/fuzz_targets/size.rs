//! Sizes and addresses: what is read prints, and reads again as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use umem_core::{address::DmaAddr, size::Bytes};

fuzz_target!(|text: &str| {
    if let Ok(size) = text.parse::<Bytes>() {
        assert_eq!(size.to_string().parse(), Ok(size));
    }
    if let Ok(address) = text.parse::<DmaAddr>() {
        assert_eq!(address.to_string().parse(), Ok(address));
    }
});
