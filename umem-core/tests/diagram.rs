//! The picture: as long as it is wide, legible, and with the lens where it should be.

use umem_core::{
    diagram::{
        Command, Drawing, Heading, LaneName, Lanes, Paint, Stage, Steps, View, detail, detail_at,
        draw, draw_at, focus,
        palette::{DARK, LIGHT, Palette},
        svg,
    },
    memory::scattered_slot,
    registration::{Index, Registration},
    scenario::{Scenario, presets::PRESETS},
    size::PageSize,
};

struct Shown {
    registration: Registration,
    index: Index,
    steps: Steps,
}

fn shown(scenario: &Scenario) -> Shown {
    let registration = Registration::new(scenario).unwrap();
    let index = registration.index();
    let steps = Steps::new(&registration, &index);
    Shown {
        registration,
        index,
        steps,
    }
}

fn scenario(json: &str) -> Shown {
    shown(&Scenario::from_json(json.as_bytes()).unwrap())
}

fn preset(name: &str) -> Shown {
    let preset = PRESETS.iter().find(|preset| preset.name == name).unwrap();
    shown(&preset.scenario())
}

impl Shown {
    fn whole(&self, width: f64) -> View {
        View::whole(&self.registration, width)
    }

    fn draw(&self, view: View, moment: f64) -> Drawing {
        draw(&self.registration, &self.index, &self.steps, view, moment)
    }
}

fn texts(drawing: &Drawing) -> Vec<&str> {
    fn text(command: &Command) -> Option<&str> {
        match command {
            Command::Text { text, .. } => Some(text),
            _ => None,
        }
    }
    drawing.commands.iter().filter_map(text).collect()
}

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
                for moment in 0..=scene.steps.count().min(20) {
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
    for preset in &PRESETS {
        let scene = shown(&preset.scenario());
        for width in [320.0, 390.0, 800.0, 1600.0] {
            let whole = scene.whole(width);
            for step in 0..=scene.steps.count() {
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
    for preset in &PRESETS {
        let scene = shown(&preset.scenario());
        for step in 0..scene.steps.count() {
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
fn a_sheet_holds_its_pictures_and_what_is_told_of_them() {
    let mail = preset("mail");
    let drawing = || mail.draw(mail.whole(400.0), 3.5);
    let heading = |title: &str| Heading {
        title: title.into(),
        about: "a long story about two pages ".repeat(9),
    };
    let sheet = Drawing::sheet([(heading("one"), drawing()), (heading("other"), drawing())]);
    assert_eq!(sheet.width, drawing().width + 32.0);
    assert_eq!(
        sheet.commands.len(),
        2 * (drawing().commands.len() + 2),
        "all of both, and two lines above each"
    );
    for command in &sheet.commands {
        let (left, right, bottom) = extent(command);
        assert!(
            left >= 14.0 && right <= sheet.width - 14.0 && bottom <= sheet.height,
            "{command:?}"
        );
    }
    let told = texts(&sheet);
    let place = |text: &str| told.iter().position(|told| *told == text).unwrap();
    assert!(place("one") < place("other"));
    assert_eq!(told.iter().filter(|text| text.ends_with('…')).count(), 2);
    assert_eq!(
        drawing().with_margins().commands.len(),
        drawing().commands.len()
    );
}

/// Where a shape begins and ends from left to right, and how far down it reaches.
fn extent(command: &Command) -> (f64, f64, f64) {
    let of = |xs: &[f64], bottom| {
        let least = xs.iter().copied().fold(f64::MAX, f64::min);
        (least, xs.iter().copied().fold(f64::MIN, f64::max), bottom)
    };
    match command {
        Command::Rect {
            x,
            y,
            width,
            height,
            ..
        } => (*x, x + width, y + height),
        Command::Line { from, to, .. } => of(&[from.0, to.0], from.1.max(to.1)),
        Command::Marks { xs, to, .. } if xs.is_empty() => (0.0, 0.0, *to),
        Command::Marks { xs, to, .. } => of(xs, *to),
        Command::Polygon { points, .. } => {
            let xs: Vec<f64> = points.iter().map(|point| point.0).collect();
            of(&xs, points.iter().map(|point| point.1).fold(0.0, f64::max))
        }
        Command::Text {
            x,
            y,
            anchor,
            style,
            text,
            ..
        } => {
            let width = style.width(text);
            let left = match anchor {
                umem_core::diagram::Anchor::Start => *x,
                umem_core::diagram::Anchor::Middle => x - width / 2.0,
                umem_core::diagram::Anchor::End => x - width,
            };
            (left, left + width, *y)
        }
    }
}

#[test]
fn labels_never_collide() {
    for preset in &PRESETS {
        let scene = shown(&preset.scenario());
        for width in [320.0, 390.0, 620.0, 1000.0, 1600.0] {
            for step in 0..=scene.steps.count() {
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
            for moment in 0..=shown.steps.count() {
                let drawing = shown.draw(shown.whole(width), moment as f64 + 0.3);
                assert!(drawing.height.is_finite(), "{}, {width}", preset.name);
            }
        }
    }
}

#[test]
fn the_lens_follows_the_cut_and_rests_where_sizes_change() {
    let mail = preset("mail");
    let at = |moment: f64| focus(&mail.registration, &mail.index, &mail.steps.moment(moment));
    let cut = mail.steps.first_of(Stage::Cut) as f64;
    assert_eq!(at(0.0), Some(0x1000));
    assert_eq!(at(cut), Some(0x1000));
    assert_eq!(at(cut + 1.0), Some(1 << 20));
    assert_eq!(at(cut + 2.0), Some(2 << 20));
    assert_eq!(at(mail.steps.count() as f64), Some(1 << 20));
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
    let asked = draw_at(
        &mail.registration,
        &mail.index,
        &mail.steps,
        view,
        0.0,
        Some(lens),
    );
    assert!(texts(&asked).contains(&"zero bits"));
}

#[test]
fn what_is_under_a_pointer_is_told() {
    let mail = preset("mail");
    let view = mail.whole(1000.0);
    let told =
        |x: f64, y: f64| detail(&mail.registration, &mail.index, view, (x, y), Some(1 << 20));
    let mut lanes = Vec::new();
    for y in 0..500 {
        if let Some(detail) = told(view.x(3.0 * f64::from(1 << 20)), f64::from(y)) {
            if lanes.last() != Some(&detail.lane) {
                lanes.push(detail.lane);
            }
            let wanted = match detail.lane {
                LaneName::Virtual => 0x1000,
                LaneName::Scatter | LaneName::Dma => 0x1000,
                LaneName::Frames | LaneName::Entries => 2 << 20,
            };
            // Below the lanes lies the lens, which shows entries by number, not by place.
            if lanes.len() == 5 && detail.offset == wanted || lanes.len() < 5 {
                assert_eq!(detail.offset, wanted, "{detail:?}");
            }
        }
    }
    assert_eq!(lanes, LaneName::ALL);
    assert_eq!(told(1.0, 100.0), None);
}

#[test]
fn a_box_is_told_with_what_became_it() {
    let told = |shown: &Shown, lane, offset| {
        detail_at(&shown.registration, &shown.index, lane, offset)
            .unwrap()
            .text
    };
    let mail = preset("descending");
    for (lane, wanted) in [
        (
            LaneName::Scatter,
            "SG entry 1: 0x3fe00000 + 2M, from frames 0x3fe00000 + 2M, virtual 0x7f0000200000.",
        ),
        (
            LaneName::Dma,
            "DMA segment 1: 0x3fe00000 + 2M, from SG entry 1, frames 0x3fe00000 + 2M, virtual 0x7f0000200000.",
        ),
        (
            LaneName::Entries,
            "entry 256: 2M at 0x3fe00000, from DMA segment 1, SG entry 1, frames 0x3fe00000 + 2M, virtual 0x7f0000200000. 2M is the largest",
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
    let frames = format!("{:#x} + 4K to {:#x} + 4K", frame(0), frame(15));
    assert_eq!(
        told(&merged, LaneName::Entries, 0),
        format!(
            "entry 0: 64K at 0xffff0000, from DMA segment 0, SG entries 0 to 15, frames {frames}, virtual 0x7f0000000000. All \
             entries share one size, which must fit everywhere."
        )
    );
    // The first entry of one size begins before the region, where nothing was pinned.
    let text = told(&preset("one-size"), LaneName::Entries, 0);
    assert!(
        text.contains("SG entry 0, frames 0x40000000 + 2M, virtual 0x7f0000000000"),
        "{text}"
    );
}

#[test]
fn text_on_every_size_is_legible() {
    for palette in [LIGHT, DARK] {
        for log2 in 0..64 {
            let size = PageSize::from_log2(log2).unwrap();
            let contrast = contrast(&palette, Paint::Size(size), Paint::OnSize(size));
            assert!(contrast >= 4.5, "{size}: {contrast}");
        }
        for (paint, ground) in [
            (Paint::Ink, Paint::Ground),
            (Paint::Soft, Paint::Ground),
            (Paint::Ink, Paint::Card),
            (Paint::Soft, Paint::Card),
            (Paint::Accent, Paint::Ground),
            (Paint::Accent, Paint::Card),
            (Paint::Ink, Paint::Ribbon),
        ] {
            assert!(
                contrast(&palette, ground, paint) >= 4.5,
                "{paint:?} on {ground:?}"
            );
        }
    }
}

/// WCAG 2.2's contrast ratio, from its definition.
fn contrast(palette: &Palette, ground: Paint, text: Paint) -> f64 {
    let luminance = |paint: Paint| {
        let channel = |shift: u32| {
            let c = f64::from((palette.colour(paint) >> shift) & 0xff) / 255.0;
            if c <= 0.04045 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * channel(16) + 0.7152 * channel(8) + 0.0722 * channel(0)
    };
    let (a, b) = (luminance(ground), luminance(text));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn the_scale_is_ordered() {
    for (palette, sign) in [(LIGHT, -1.0), (DARK, 1.0)] {
        let brightness = |log2: u32| {
            let colour = palette.colour(Paint::Size(PageSize::from_log2(log2).unwrap()));
            f64::from(colour >> 16 & 0xff) * 0.3
                + f64::from(colour >> 8 & 0xff) * 0.6
                + f64::from(colour & 0xff) * 0.1
        };
        for log2 in 12..40 {
            assert!(
                sign * (brightness(log2 + 1) - brightness(log2)) >= 0.0,
                "2^{log2}"
            );
        }
    }
}

#[test]
fn svg_has_attributes_only() {
    let mail = preset("mail");
    let picture = svg::render(
        &mail.draw(mail.whole(960.0), f64::MAX),
        &LIGHT,
        "the <mail>",
    );
    assert!(picture.contains("<title>the &lt;mail&gt;</title>"));
    assert!(!picture.contains("style") && !picture.contains("NaN"));
    assert!(picture.len() < 30_000, "{} bytes", picture.len());
}

#[test]
fn a_picture_has_the_lanes_that_it_is_asked_for() {
    let mail = preset("mail");
    let whole = mail.whole(900.0);
    let titles = |lanes: &str| -> Vec<&str> {
        let lanes: Lanes = lanes.parse().unwrap();
        let drawing = mail.draw(View { lanes, ..whole }, 1e9);
        let texts = texts(&drawing);
        let titles = LaneName::ALL.map(LaneName::title).into_iter();
        titles
            .chain(["Lens"])
            .filter(|title| texts.contains(title))
            .collect()
    };
    assert_eq!(titles("dma virtual"), ["Virtual memory", "DMA segments"]);
    assert_eq!(titles("entries"), ["Device entries", "Lens"]);
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
    let map = mail.steps.first_of(Stage::Map) as f64;
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
