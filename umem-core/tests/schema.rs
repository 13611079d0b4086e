//! The checked-in schemas are those that the types have.
#![cfg(feature = "schema")]

use umem_core::{scenario::Scenario, set::Set};

#[test]
fn the_checked_in_schemas_are_up_to_date() {
    for (file, ours, checked_in) in [
        (
            "scenario.schema.json",
            Scenario::schema() + "\n",
            include_str!("../scenario.schema.json"),
        ),
        (
            "set.schema.json",
            Set::schema() + "\n",
            include_str!("../set.schema.json"),
        ),
    ] {
        if std::env::var_os("UMEM_WRITE_SCHEMA").is_some() {
            std::fs::write(file, &ours).unwrap();
            continue;
        }
        assert!(
            ours == checked_in,
            "umem-core/{file} is out of date: run `UMEM_WRITE_SCHEMA=1 cargo test -p umem-core --features schema --test schema`"
        );
    }
}
