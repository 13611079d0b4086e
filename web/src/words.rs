//! Words: what things are called on the page, and how numbers and sentences are written.

use crate::state::Place;
use js_sys::JSON;
use umem_core::{scenario::Question, table::Policy};
use wasm_bindgen::JsValue;

/// What people call a policy.
pub(crate) const fn policy(policy: Policy) -> &'static str {
    match policy {
        Policy::Mixed => "Mixed",
        Policy::Single => "Single",
        Policy::Unaligned => "Unaligned",
    }
}

/// What people call a place.
pub(crate) const fn place(place: Place) -> &'static str {
    match place {
        Place::Upper => "Upper",
        Place::Lower => "Lower",
    }
}

/// A number with its thousands apart, from five digits on: "1023", "1,048,576".
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    if digits.len() < 5 {
        return digits;
    }
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// "12.5%". In whole tenths: what formats any float at all would be a twentieth of the page's code.
pub(crate) fn percent(number: f64) -> String {
    let tenths = (number * 10.0).round() as i64;
    format!("{}.{}%", tenths / 10, tenths % 10)
}

/// "1 page", "1023 pages".
pub(crate) fn count(number: u64, one: &str, many: &str) -> String {
    format!(
        "{} {}",
        grouped(number),
        if number == 1 { one } else { many }
    )
}

/// A text with a capital at its beginning, unless that is a name of code.
pub(crate) fn sentence(text: &str) -> String {
    let word = text.split(' ').next().unwrap_or_default();
    if word.contains(['_', '(']) {
        return text.to_owned();
    }
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// Why the IOMMU that was chosen maps nothing; `None` where none was chosen, or where it does.
pub(crate) fn bypassed(question: &Question) -> Option<String> {
    let profile = question.iommu_profile();
    match (question.device().profile, question.iommu()) {
        (Some(device), _) if device.virt_dma && (profile.is_some() || question.iommu().is_some()) => {
            Some(format!(
                "{} is software: the CPU itself moves the bytes, and no IOMMU sees their addresses.",
                device.name
            ))
        }
        (_, None) => profile.map(|profile| {
            format!(
                "{} maps pages of {} and more, and this kernel's pages have {}. Linux then leaves it in identity, as if it were \
                 off: the NIC uses physical addresses.",
                profile.title,
                profile.translation().granule(),
                question.mr().page
            )
        }),
        (_, Some(_)) => None,
    }
}

/// JSON on lines of its own, for people to read. The browser breaks the lines: it can do that already.
pub(crate) fn pretty(json: String) -> String {
    let broken = JSON::parse(&json).and_then(|value| {
        JSON::stringify_with_replacer_and_space(&value, &JsValue::NULL, &2.into())
    });
    broken.map_or(json, Into::into)
}
