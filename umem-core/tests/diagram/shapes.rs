//! What is drawn, and where.

use crate::common::{extent, preset, scenario, shown, texts};
use umem_core::{
    diagram::{Attention, Command, Drawing, LaneName, Lanes, Paint, Stage, View, draw},
    memory::Kind,
    scenario::presets::PRESETS,
    size::PageSize,
};

#[test]
fn a_picture_is_as_long_as_it_is_wide_whatever_it_shows() {
    let scenes = [
        preset("mail"),
        scenario(
            r#"{"version":1,"region":{"length":"1T"},"memory":{"layout":"contiguous"},"device":"mlx5"}"#,
        ),
        scenario(
            r#"{"version":1,"region":{"length":"1G"},"memory":{"layout":"scattered"},"device":{"page_sizes":["4K","2M"]}}"#,
        ),
    ];
    for scene in &scenes {
        for width in [320.0, 1000.0, 4000.0] {
            let whole = scene.whole(width);
            for view in [whole, whole.zoomed(1e4, width / 2.0, whole)] {
                for moment in 0..=scene.steps().count().min(20) {
                    let drawing = scene.draw(view, moment as f64 + 0.5);
                    let marks: usize = drawing.commands.iter().map(shapes).sum();
                    assert!(
                        marks < 10 * width as usize,
                        "{marks} shapes in {width} pixels"
                    );
                }
            }
        }
    }
}

fn shapes(command: &Command) -> usize {
    match command {
        Command::Marks { xs, .. } => xs.len(),
        _ => 1,
    }
}

#[test]
fn nothing_is_drawn_outside_the_picture() {
    for preset in PRESETS {
        let scene = shown(&preset.scenario());
        for width in [320.0, 390.0, 800.0, 1600.0] {
            let whole = scene.whole(width);
            for step in 0..=scene.steps().count() {
                for view in [whole, whole.zoomed(37.0, width * 0.6, whole)] {
                    let drawing = scene.draw(view, step as f64 + 0.3);
                    for command in &drawing.commands {
                        let (left, right, bottom) = extent(command);
                        assert!(
                            left >= -1.5
                                && right <= drawing.width + 1.5
                                && bottom <= drawing.height,
                            "{} at {step}, {width} wide: {command:?}",
                            preset.name
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn the_playhead_passes_behind_words() {
    let mut passed = 0;
    for preset in PRESETS {
        let scene = shown(&preset.scenario());
        for step in 0..scene.steps().count() {
            let drawing = scene.draw(scene.whole(1000.0), step as f64 + 0.5);
            let lines: Vec<_> = drawing
                .commands
                .iter()
                .filter_map(|command| match command {
                    Command::Line { from, to, .. } if from.0 == to.0 => {
                        Some((from.0, from.1, to.1))
                    }
                    _ => None,
                })
                .collect();
            passed += lines.len().saturating_sub(1);
            for text in &drawing.commands {
                let Command::Text { y, style, .. } = text else {
                    continue;
                };
                let (left, right, _) = extent(text);
                let crossed = |(x, from, to): &(f64, f64, f64)| {
                    (left..right).contains(x) && *from < *y && y - style.pixels() < *to
                };
                assert!(
                    !lines.iter().any(crossed),
                    "{} at {step}: {text:?}",
                    preset.name
                );
            }
        }
    }
    assert!(passed > 10, "words were in the way {passed} times");
}

#[test]
fn labels_never_collide() {
    for preset in PRESETS {
        let scene = shown(&preset.scenario());
        for width in [320.0, 390.0, 620.0, 1000.0, 1600.0] {
            for step in 0..=scene.steps().count() {
                let drawing = scene.draw(scene.whole(width), step as f64 + 0.5);
                let labels: Vec<_> = drawing
                    .commands
                    .iter()
                    .filter(|command| matches!(command, Command::Text { .. }))
                    .collect();
                for (i, one) in labels.iter().enumerate() {
                    for other in &labels[i + 1..] {
                        let (a, b) = (extent(one), extent(other));
                        let apart = a.1 <= b.0 + 1.0 || b.1 <= a.0 + 1.0;
                        assert!(
                            apart || (a.2 - b.2).abs() >= 12.0,
                            "{} at {step}, {width} wide: {one:?} and {other:?}",
                            preset.name
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn a_picture_of_no_width_is_drawn_all_the_same() {
    for preset in PRESETS {
        let shown = shown(&preset.scenario());
        for width in [0.0, 0.5, 1.0, 7.0, 40.0, 121.0] {
            for moment in 0..=shown.steps().count() {
                let drawing = shown.draw(shown.whole(width), moment as f64 + 0.3);
                assert!(drawing.height.is_finite(), "{}, {width}", preset.name);
            }
        }
    }
}

#[test]
fn a_picture_has_the_lanes_that_it_is_asked_for() {
    let mail = preset("mail");
    let whole = mail.whole(900.0);
    let titles = |lanes: &str| -> Vec<&str> {
        let lanes: Lanes = lanes.parse().unwrap();
        let drawing = mail.draw(View { lanes, ..whole }, 1e9);
        let texts = texts(&drawing);
        let titles = LaneName::ALL
            .map(|lane| lane.title(Kind::Pages))
            .into_iter();
        titles
            .chain(["Lens"])
            .filter(|title| texts.contains(title))
            .collect()
    };
    assert_eq!(titles("dma virtual"), ["Virtual memory", "DMA segments"]);
    assert_eq!(titles("entries"), ["Device entries", "Lens"]);
    assert_eq!(
        titles("entries iommu dma"),
        ["DMA segments", "IOMMU entries", "Device entries", "Lens"]
    );
    let height = |lanes: &str| {
        let lanes: Lanes = lanes.parse().unwrap();
        mail.draw(View { lanes, ..whole }, 0.0).height
    };
    assert!(height("virtual") < height("virtual frames"));
    assert!(height("virtual frames sg dma") < height("virtual frames sg dma entries"));
    assert_eq!(
        height("virtual frames sg dma entries"),
        mail.draw(whole, 0.0).height
    );
    for wrong in ["", "  ", "lanes", "sg,dma"] {
        assert!(wrong.parse::<Lanes>().is_err(), "{wrong:?}");
    }
}

#[test]
fn a_segment_sinks_into_its_lane() {
    let mail = preset("mail-iommu");
    let map = mail.steps().first_of(Stage::Map) as f64;
    let sinking = |part: f64| {
        let drawing = mail.draw(mail.whole(900.0), map + part);
        let commands = drawing.commands.into_iter();
        commands.rev().find_map(|command| match command {
            Command::Rect {
                y,
                height,
                fill: Some(Paint::Card),
                stroke: Some(Paint::Accent),
                ..
            } => Some((y, y + height)),
            _ => None,
        })
    };
    assert_eq!(sinking(0.0), None, "not before it is mapped");
    let ways: Vec<_> = [0.3, 0.6, 0.9].map(|part| sinking(part).unwrap()).into();
    assert!(
        ways.windows(2)
            .all(|pair| pair[0].0 <= pair[1].0 && pair[0].1 < pair[1].1),
        "{ways:?}"
    );
    assert_eq!(sinking(1.0), None, "then it is there");
}

#[test]
fn a_compact_picture_is_a_third_less_high_and_has_no_lens() {
    for width in [1000.0, 358.0] {
        let mail = preset("mail");
        let whole = mail.whole(width);
        let compact = View {
            compact: true,
            ..whole
        };
        let (full, less) = (mail.draw(whole, f64::MAX), mail.draw(compact, f64::MAX));
        assert!(
            less.height < 0.8 * full.height,
            "{} of {}",
            less.height,
            full.height
        );
        assert!(less.height < 300.0 || width < 600.0, "{}", less.height);
        let told = texts(&less);
        assert!(
            told.contains(&"Device entries") && !told.contains(&"Lens"),
            "{told:?}"
        );
        for command in &less.commands {
            let (_, _, bottom) = extent(command);
            assert!(bottom <= less.height, "{command:?}");
        }
        // The same boxes, closer together.
        let solid = |drawing: &Drawing| {
            let boxes = drawing.commands.iter().filter(|command| {
                matches!(command, Command::Rect { height, dashed: false, .. } if (28.0..33.0).contains(height))
            });
            boxes.count()
        };
        assert!(solid(&less) >= 6 && solid(&full) > solid(&less));
    }
}

#[test]
fn lanes_that_differ_stand_out_and_the_others_step_back() {
    let mail = preset("mail");
    let attention = Attention {
        differing: Lanes::of(|lane| lane == LaneName::Entries),
        ..Attention::default()
    };
    let drawing = draw(&mail.index, mail.whole(1000.0), f64::MAX, attention);
    let paint = |title: &str| {
        let found = drawing.commands.iter().find_map(|command| match command {
            Command::Text { text, paint, .. } if text == title => Some(*paint),
            _ => None,
        });
        found.unwrap()
    };
    assert_eq!(paint("Device entries"), Paint::Accent);
    assert_eq!(paint("SG entries"), Paint::Soft);
    assert_eq!(Lanes::of(|_| false), None);
}

/// Its region ends 4K before it does.
#[test]
fn the_last_frame_says_what_it_is() {
    let buffer = preset("dma-buf");
    let drawing = buffer.draw(buffer.whole(1000.0), f64::MAX);
    let told = texts(&drawing);
    assert!(told.contains(&"2M at 0x3fa00000"), "{told:?}");
}

/// Where the lens has one entry on a phone, and nothing is told of it yet.
#[test]
fn a_lens_counts_what_it_shows() {
    for name in PRESETS.iter().map(|preset| preset.name) {
        let scene = preset(name);
        for moment in 0..=scene.steps().count().min(40) {
            let drawing = scene.draw(scene.whole(358.0), moment as f64);
            let told = texts(&drawing);
            assert!(
                !told.iter().any(|text| text.starts_with("entries entry")),
                "{name}: {told:?}"
            );
        }
    }
}

/// The mail: "the IOMMU huge page size may differ from the driver supported size". Its own pages stand above the device's entries, in
/// the colours of their sizes.
#[test]
fn the_iommus_own_entries_are_a_lane_that_can_be_switched_on() {
    let shown = scenario(
        r#"{"version":1,"region":{"length":"4M"},"memory":{"page_size":"2M","layout":"contiguous"},"iommu":"vt-d","device":{"page_sizes":["4K","64K"],"policy":"mixed"}}"#,
    );
    let whole = shown.whole(1000.0);
    assert!(
        !whole.lanes.contains(LaneName::Iommu),
        "off unless asked for"
    );
    let lanes = whole.lanes.toggled(LaneName::Iommu).unwrap();
    assert_eq!(lanes.toggled(LaneName::Iommu), Some(whole.lanes));
    let view = View { lanes, ..whole };
    let drawing = shown.draw(view, f64::MAX);
    assert!(drawing.height > shown.draw(whole, f64::MAX).height);
    let told = texts(&drawing);
    let at = told
        .iter()
        .position(|text| *text == "IOMMU entries")
        .unwrap();
    assert_eq!(told[at + 1], "2", "two pages of 2M");
    let filled = |drawing: &Drawing, size: PageSize| {
        let boxes = drawing.commands.iter().filter(|command| {
            matches!(command, Command::Rect { height: 32.0, fill: Some(Paint::Size(known)), .. } if *known == size)
        });
        boxes.count()
    };
    let more = filled(&drawing, PageSize::M2) - filled(&shown.draw(whole, f64::MAX), PageSize::M2);
    assert_eq!(more, 2);
    // It fills while the list is mapped.
    let map = shown.steps().first_of(Stage::Map) as f64;
    let before = shown.draw(view, map);
    assert!(texts(&before).contains(&"none yet"), "{:?}", texts(&before));
    for moment in 0..=shown.steps().count() * 3 {
        for width in [1000.0, 358.0] {
            let view = View { width, ..view };
            let drawing = shown.draw(view, moment as f64 / 3.0);
            for command in &drawing.commands {
                let (_, _, bottom) = extent(command);
                assert!(bottom <= drawing.height, "{command:?}");
            }
        }
    }
}

/// A public report: Linux 5.2 gives EFA five blocks of 8K for 32K of memory.
#[test]
fn a_table_that_a_kernels_bug_makes_too_long_is_drawn() {
    let shown = scenario(
        r#"{"version":1,"region":{"length":"32K"},"memory":{"extents":[["0x103dcb2000","12K"],["0x103dd5d000","20K"]]},"device":"efa","kernel":{"rules":"5.2"}}"#,
    );
    assert_eq!(shown.registration().status(), "5 entries: 5 × 8K");
    let drawing = shown.draw(shown.whole(1000.0), f64::MAX);
    // The fifth begins where the memory ends.
    assert!(
        texts(&drawing).contains(&"0x103dd62000"),
        "{:?}",
        texts(&drawing)
    );
}
