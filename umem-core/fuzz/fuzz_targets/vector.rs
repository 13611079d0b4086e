//! Vectors: whatever reads is replayed, and held or differed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use umem_core::{kernel::GENERATIONS, vectors::Vector};

fuzz_target!(|line: &str| {
    if let Ok(vector) = Vector::from_json(line) {
        for rules in GENERATIONS {
            let _ = vector.replay(rules);
        }
    }
});
