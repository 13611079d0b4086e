//! What is compared does the same work.

use umem_bench::{SECTIONS, Scale};

#[test]
fn ours_and_the_peers_do_as_much() {
    let mut compared = 0;
    for (_, paths) in SECTIONS {
        for mut path in paths(Scale::Small) {
            let ours = (path.ours)();
            for peer in [&mut path.kernel, &mut path.native].into_iter().flatten() {
                assert_eq!(peer(), ours, "{}", path.name);
                compared += 1;
            }
        }
    }
    assert!(compared > 20);
}

#[test]
fn ours_and_the_peers_write_the_same_table() {
    umem_bench::blocks::assert_alike();
}
