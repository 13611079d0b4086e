//! Where a refused region stops in the picture.

use crate::common::{Shown, preset, scenario, texts};
use umem_core::{
    diagram::{Attention, Command, LaneName, Paint, Stage, View, draw},
    gate::Gate,
};

/// Refused before anything is pinned: 64M, and 8M may be locked.
const MEMLOCK: &str = r#"{"version":1,"region":{"length":"64M"},"memory":{"layout":"scattered"},"device":"mlx5",
    "process":{"memlock":"8M","pinned":"0","privileged":false}}"#;
/// Refused by the IOMMU: 16G in a space of 32 bits.
const MAP: &str = r#"{"version":1,"region":{"length":"16G"},"memory":{"page_size":"1G","layout":"contiguous"},
    "iommu":{"address_bits":32},"device":{"page_sizes":["4K"]}}"#;
/// Refused when the table is counted.
const TABLE: &str = r#"{"version":1,"region":{"length":"1M"},"memory":{"layout":"scattered"},
    "device":{"page_sizes":["4K"],"max_entries":16}}"#;

fn gate(shown: &Shown) -> Gate {
    shown.registration().table().unwrap_err().gate().unwrap()
}

/// The bars across the picture: how far down each is.
fn bars(commands: &[Command]) -> Vec<f64> {
    let bar = |command: &Command| match command {
        Command::Line {
            from,
            to,
            paint: Paint::Accent,
            width: 3.0,
        } if from.1 == to.1 && to.0 - from.0 > 200.0 => Some(from.1),
        _ => None,
    };
    commands.iter().filter_map(bar).collect()
}

/// How far down the solid boxes of the lanes reach, ribbons included.
fn lowest_solid(commands: &[Command]) -> f64 {
    let foot = |command: &Command| match command {
        Command::Rect {
            y,
            height,
            fill: Some(_),
            dashed: false,
            ..
        } if *height > 20.0 => Some(y + height),
        Command::Polygon { points, .. } => points.iter().map(|point| point.1).reduce(f64::max),
        _ => None,
    };
    commands.iter().filter_map(foot).fold(0.0, f64::max)
}

#[test]
fn a_refused_region_stops_at_its_gate_and_what_lies_behind_is_empty() {
    for (json, wanted, filled) in [
        (MEMLOCK, Gate::Memlock, [0, 0, 0, 0]),
        (MAP, Gate::Map, [1, 1, 0, 0]),
        (TABLE, Gate::Table, [1, 1, 1, 0]),
    ] {
        let shown = scenario(json);
        assert_eq!(gate(&shown), wanted);
        let index = &shown.index;
        let lanes = [
            index.batches(),
            index.scatter(),
            index.dma(),
            index.entries(),
        ];
        assert_eq!(
            lanes.map(|lane| u32::from(!lane.runs().is_empty())),
            filled,
            "{wanted:?}"
        );
        for width in [1000.0, 358.0] {
            let end = shown.steps().count() as f64;
            let drawing = shown.draw(shown.whole(width), end);
            let bars = bars(&drawing.commands);
            assert_eq!(bars.len(), 1, "{wanted:?} at {width}");
            assert!(
                lowest_solid(&drawing.commands) <= bars[0],
                "{wanted:?} at {width}: something is made behind the gate"
            );
            let told = texts(&drawing).join(" ");
            let refusal = shown.registration().table().unwrap_err();
            let stop = refusal.stopped_at().unwrap();
            assert!(told.contains(&stop), "{stop}: {told}");
            assert!(
                told.contains("Why: ")
                    && told.contains("What to do: ") != refusal.way_out().is_empty(),
                "{told}"
            );
            for text in texts(&drawing) {
                assert!(!text.contains("NaN"));
            }
        }
    }
}

#[test]
fn the_errno_the_cause_and_the_way_out_are_whole_in_a_wide_picture() {
    let shown = scenario(MEMLOCK);
    let told = texts(&shown.draw(shown.whole(1000.0), 0.0)).join(" ");
    let refusal = shown.registration().table().unwrap_err();
    assert!(told.contains("refused at memlock (ENOMEM)"), "{told}");
    assert!(told.contains(&refusal.cause()), "{told}");
    assert!(told.contains(&refusal.way_out()), "{told}");
}

#[test]
fn nothing_is_given_away_before_the_reader_predicts() {
    let mail = preset("mail");
    for json in [MEMLOCK, MAP, TABLE] {
        let shown = scenario(json);
        for moment in 0..=shown.steps().count() {
            let attention = Attention {
                veiled: true,
                ..Attention::default()
            };
            let drawing = draw(&shown.index, shown.whole(1000.0), moment as f64, attention);
            let told = texts(&drawing).join(" ");
            assert!(bars(&drawing.commands).is_empty());
            for word in ["refused", "not reached", "Why", "EN"] {
                assert!(!told.contains(word), "{word}: {told}");
            }
        }
    }
    assert!(bars(&mail.draw(mail.whole(1000.0), f64::MAX).commands).is_empty());
}

#[test]
fn the_way_is_open_until_the_gate_is_reached() {
    let shown = scenario(MAP);
    assert!(shown.steps().count() > 1);
    assert!(bars(&shown.draw(shown.whole(1000.0), 0.5).commands).is_empty());
}

#[test]
fn each_gate_has_a_mark_in_front_of_the_lane_behind_it() {
    let mail = preset("mail");
    let marks = |moment: f64, view: View| {
        let drawing = mail.draw(view, moment);
        let filled = |command: &Command| match command {
            Command::Rect {
                width: 5.0,
                height: 9.0,
                fill,
                ..
            } => Some(fill.is_some()),
            _ => None,
        };
        drawing
            .commands
            .iter()
            .filter_map(filled)
            .collect::<Vec<_>>()
    };
    let whole = mail.whole(1000.0);
    assert_eq!(marks(f64::MAX, whole), [true; 10]);
    let gathering = mail.steps().first_of(Stage::Gather) as f64;
    assert_eq!(
        marks(gathering, whole),
        [
            true, true, true, true, true, true, false, false, false, false
        ]
    );
    let behind = |gate| LaneName::behind(gate) as u8;
    assert!(Gate::ALL.is_sorted_by_key(|gate| behind(*gate)));
    // A picture of two lanes has the gates between them.
    let lanes = "dma entries".parse().unwrap();
    assert_eq!(marks(f64::MAX, View { lanes, ..whole }), [true; 3]);
}

#[test]
fn a_driver_without_a_table_refuses_nothing() {
    let shown = scenario(
        r#"{"version":1,"region":{"length":"1M"},"memory":{"page_size":"2M","layout":"contiguous"},"device":"usnic"}"#,
    );
    let drawing = shown.draw(shown.whole(1000.0), f64::MAX);
    assert!(bars(&drawing.commands).is_empty());
    let told = texts(&drawing).join(" ");
    assert!(told.contains("the driver keeps no table"), "{told}");
    assert!(!told.contains("refused"), "{told}");
}
