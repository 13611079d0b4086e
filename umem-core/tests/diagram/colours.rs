//! The scale of sizes: ordered, and legible.

use umem_core::{
    diagram::{
        Paint,
        palette::{DARK, LIGHT, Palette},
    },
    size::PageSize,
};

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
