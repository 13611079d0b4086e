//! What the operator reads at a gate. The public reports themselves are `docs/cases`, and the runner's tests hold them.

use super::*;

/// What the operator reads tells of the second try, and of vm.max_map_count.
#[test]
fn what_to_do_is_said_where_people_did_not_know() {
    let huge = r#"{"length":"4M","backing":"hugetlb","page_size":"2M"}"#;
    let text = |asked: Asked<'_>| {
        let gates = Registration::new(&asked.scenario("6.12.95"))
            .unwrap()
            .gates();
        gates.last().unwrap().to_string()
    };
    let second = text(Asked {
        region: r#""offset":"4K","length":"1M""#,
        ..area(huge, r#""fork_support":"libibverbs","libibverbs":"44.0""#)
    });
    for words in [
        "RDMAV_HUGEPAGES_SAFE=1",
        "multiple of 2M",
        "succeeds at the second try, but marks nothing",
    ] {
        assert!(second.contains(words), "{words}: {second}");
    }
    let mappings = text(area(
        r#"{"length":"1M"}"#,
        r#""fork_support":"libibverbs","mappings_left":0"#,
    ));
    assert!(
        mappings.contains("(EAGAIN)") && mappings.contains("sysctl vm.max_map_count="),
        "{mappings}"
    );
}
