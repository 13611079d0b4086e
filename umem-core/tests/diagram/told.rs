//! What is told of a box, and where the lens is.

use crate::common::{Shown, preset, scenario, texts};
use umem_core::{
    diagram::{Attention, LaneName, Lanes, Stage, View, detail, detail_at, draw, focus, named},
    memory::{Kind, scattered_slot},
};

#[test]
fn the_lens_follows_the_cut_and_rests_where_sizes_change() {
    let mail = preset("mail");
    let at = |moment: f64| focus(&mail.index, &mail.steps().moment(moment));
    let cut = mail.steps().first_of(Stage::Cut) as f64;
    assert_eq!(at(0.0), Some(0x1000));
    assert_eq!(at(cut), Some(0x1000));
    assert_eq!(at(cut + 1.0), Some(1 << 20));
    assert_eq!(at(cut + 2.0), Some(2 << 20));
    assert_eq!(at(mail.steps().count() as f64), Some(1 << 20));
    let finished = mail.draw(mail.whole(1000.0), f64::MAX);
    let texts = texts(&finished);
    for wanted in ["255 × 4K", "1M", "2M", "0x40100000", "20", "21"] {
        assert!(texts.contains(&wanted), "{wanted}: {texts:?}");
    }
}

#[test]
fn before_the_cut_the_lens_tells_nothing() {
    let mail = preset("mail");
    let (view, lens) = (mail.whole(1000.0), 0x1000);
    let start = mail.draw(view, 0.0);
    assert!(!texts(&start).contains(&"zero bits"));
    let attention = Attention {
        chosen: Some(lens),
        ..Attention::default()
    };
    let asked = draw(&mail.index, view, 0.0, attention);
    assert!(texts(&asked).contains(&"zero bits"));
}

#[test]
fn what_is_under_a_pointer_is_told() {
    let mail = preset("mail");
    let view = mail.whole(1000.0);
    let told = |x: f64, y: f64| detail(&mail.index, view, (x, y), Some(1 << 20));
    let mut lanes = Vec::new();
    for y in 0..500 {
        if let Some(detail) = told(view.x(3.0 * f64::from(1 << 20)), f64::from(y)) {
            if lanes.last() != Some(&detail.lane) {
                lanes.push(detail.lane);
            }
            let wanted = match detail.lane {
                LaneName::Virtual => 0x1000,
                LaneName::Scatter | LaneName::Dma => 0x1000,
                LaneName::Iommu => unreachable!("nobody asked for it"),
                LaneName::Frames | LaneName::Entries => 2 << 20,
            };
            // Below the lanes lies the lens, which shows entries by number, not by place.
            if lanes.len() == 5 && detail.offset == wanted || lanes.len() < 5 {
                assert_eq!(detail.offset, wanted, "{detail:?}");
            }
        }
    }
    assert!(Lanes::USUAL.iter().eq(lanes));
    assert_eq!(told(1.0, 100.0), None);
}

#[test]
fn a_box_is_told_with_what_became_it() {
    let told = |shown: &Shown, lane, offset| detail_at(&shown.index, lane, offset).unwrap().text;
    let mail = preset("descending");
    for (lane, wanted) in [
        (
            LaneName::Scatter,
            "SG entry 1: 2M at 0x3fe00000, from frames 0x3fe00000 (2M), virtual 0x7f0000200000.",
        ),
        (
            LaneName::Dma,
            "DMA segment 1: 2M at 0x3fe00000, from SG entry 1, frames 0x3fe00000 (2M), virtual 0x7f0000200000.",
        ),
        (
            LaneName::Entries,
            "entry 256: 2M at 0x3fe00000, from DMA segment 1, SG entry 1, frames 0x3fe00000 (2M), virtual 0x7f0000200000. 2M is the largest",
        ),
    ] {
        let text = told(&mail, lane, 0x20_0000);
        assert!(text.starts_with(wanted), "{text}");
    }
    // An IOMMU makes one segment of many entries, and one entry of many pages.
    let merged = scenario(
        r#"{"version":1,"region":{"length":"64K"},"memory":{"page_size":"4K","layout":"scattered"},"iommu":"vt-d","device":{"page_sizes":["4K","64K"],"policy":"single"}}"#,
    );
    let frame = |page| 0x4000_0000 + (scattered_slot(0, page) << 12);
    let frames = format!("{:#x} (4K) to {:#x} (4K)", frame(0), frame(15));
    assert_eq!(
        told(&merged, LaneName::Entries, 0),
        format!(
            "entry 0: 64K at 0xffff0000, from DMA segment 0, SG entries 0 to 15, frames {frames}, virtual 0x7f0000000000. All \
             entries share one size, which must fit everywhere."
        )
    );
    // The IOMMU's own pages are as large as the frames behind them allow; nothing is made of them.
    let mapped = preset("mail-iommu");
    let text = told(&mapped, LaneName::Iommu, 1 << 20);
    assert!(
        text.starts_with("IOMMU entry ")
            && text.contains(", from DMA segment 0, SG entry 0, frames 0x40000000 (2M), virtual"),
        "{text}"
    );
    assert!(!told(&mapped, LaneName::Entries, 1 << 20).contains("IOMMU"));
    // The first entry of one size begins before the region, where nothing was pinned.
    let text = told(&preset("one-size"), LaneName::Entries, 0);
    assert!(
        text.contains("SG entry 0, frames 0x40000000 (2M), virtual 0x7f0000000000"),
        "{text}"
    );
}

#[test]
fn every_name_in_the_picture_says_what_it_is() {
    let mail = preset("mail");
    let view = mail.whole(1000.0);
    let height = mail.draw(view, 0.0).height;
    let told: Vec<_> = (0..height as u32)
        .filter_map(|y| named(view, Kind::Pages, (20.0, f64::from(y))))
        .collect();
    for words in [
        "Virtual memory:",
        "Device entries:",
        "Alignment:",
        "The lens:",
        "Address:",
        "Zero bits:",
    ] {
        assert!(told.iter().any(|text| text.starts_with(words)), "{words}");
    }
    // In the picture itself nothing is a name.
    assert_eq!(named(view, Kind::Pages, (500.0, height - 10.0)), None);
}

#[test]
fn a_lane_says_how_many_of_its_few_boxes_are_too_narrow_to_be_seen() {
    let three = scenario(
        r#"{"version":1,"region":{"length":"256M"},"device":{"page_sizes":["4K","2M"]},
            "memory":{"page_size":"4K","extents":[["0x40000000","128M"],["0x90000000","4K"],["0xa0000000","131068K"]]}}"#,
    );
    let view = three.whole(1000.0);
    let end = three.steps().count() as f64;
    assert!(texts(&three.draw(view, end)).contains(&"3, 1 too narrow"));
    // Enlarged, all that is in sight is seen.
    let near = View {
        from: (128 << 20) as f64 - 8192.0,
        span: 65536.0,
        ..view
    };
    let told = three.draw(near, end);
    assert!(texts(&told).contains(&"3"), "{:?}", texts(&told));
    assert!(
        !texts(&preset("descending").draw(preset("descending").whole(1000.0), 1e9))
            .iter()
            .any(|text| text.contains("narrow"))
    );
}
