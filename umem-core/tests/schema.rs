//! The checked-in schema is the one that the types have.
#![cfg(feature = "schema")]

use umem_core::scenario::Scenario;

const CHECKED_IN: &str = include_str!("../scenario.schema.json");

#[test]
fn the_checked_in_schema_is_up_to_date() {
    let ours = Scenario::schema() + "\n";
    if let Some(path) = std::env::var_os("UMEM_WRITE_SCHEMA") {
        std::fs::write(path, &ours).unwrap();
        return;
    }
    assert!(
        ours == CHECKED_IN,
        "umem-core/scenario.schema.json is out of date: run `UMEM_WRITE_SCHEMA=scenario.schema.json cargo test -p \
         umem-core --features schema --test schema`"
    );
}
