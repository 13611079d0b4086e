//! The page and its picture have one set of colours.

use umem_core::diagram::palette::{DARK, LIGHT, Palette};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

const STYLE: &str = include_str!("../page/style.css");

#[wasm_bindgen_test]
fn the_style_sheet_has_the_palette_s_colours() {
    let (light, rest) = STYLE
        .split_once("@media (prefers-color-scheme: dark)")
        .expect("a dark theme");
    let dark = rest.split_once("\n}").expect("an end of it").0;
    for (sheet, palette) in [(light, LIGHT), (dark, DARK)] {
        for (name, colour) in named(&palette) {
            let wanted = format!("--{name}: #{colour:06x};");
            assert!(sheet.contains(&wanted), "style.css lacks {wanted}");
        }
    }
}

fn named(palette: &Palette) -> Vec<(&'static str, u32)> {
    let sizes = ["s4k", "s64k", "s1m", "s2m", "s1g", "s1t"];
    [
        ("ground", palette.ground),
        ("ink", palette.ink),
        ("soft", palette.soft),
        ("line", palette.grid),
        ("card", palette.card),
        ("accent", palette.accent),
    ]
    .into_iter()
    .chain(sizes.into_iter().zip(palette.sizes))
    .collect()
}
