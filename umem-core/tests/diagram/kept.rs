//! Pictures as files.

use crate::common::{extent, preset, texts};
use umem_core::diagram::{Drawing, Heading, palette::LIGHT, svg};

#[test]
fn a_sheet_holds_its_pictures_and_what_is_told_of_them() {
    let mail = preset("mail");
    let drawing = || mail.draw(mail.whole(400.0), 3.5);
    let heading = |title: &str| Heading {
        title: title.into(),
        about: "a long story about two pages ".repeat(9),
        notes: vec!["a note that must not be cut ".repeat(9)],
    };
    let sheet = Drawing::sheet([(heading("one"), drawing()), (heading("other"), drawing())]);
    assert_eq!(sheet.width, drawing().width + 32.0);
    let told = texts(&sheet);
    let notes = told
        .iter()
        .filter(|text| text.contains("note") || text.contains("cut"));
    let notes: Vec<&str> = notes.copied().collect();
    assert!(notes.len() >= 4, "{notes:?}");
    let words: usize = notes.iter().map(|line| line.split(' ').count()).sum();
    assert_eq!(words, 2 * 9 * 7, "no word of a note is cut");
    assert_eq!(
        sheet.commands.len(),
        2 * (drawing().commands.len() + 2) + notes.len(),
        "all of both, and above each two lines and its notes"
    );
    for command in &sheet.commands {
        let (left, right, bottom) = extent(command);
        assert!(
            left >= 14.0 && right <= sheet.width - 14.0 && bottom <= sheet.height,
            "{command:?}"
        );
    }
    let place = |text: &str| told.iter().position(|told| *told == text).unwrap();
    assert!(place("one") < place("other"));
    assert_eq!(told.iter().filter(|text| text.ends_with('…')).count(), 2);
    assert_eq!(
        drawing().with_margins().commands.len(),
        drawing().commands.len()
    );
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
