//! Texts that only people read.

/// The text, or nothing without the feature `words`: what only draws pictures, as `<umem-split>` does, tells nobody a source.
///
/// Not for what a status line says: causes and ways out are there with either.
pub(crate) const fn words(text: &'static str) -> &'static str {
    match cfg!(feature = "words") {
        true => text,
        false => "",
    }
}
