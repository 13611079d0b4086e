//! `rdma -j resource show mr`: what is registered on the devices of a machine.

use super::{
    error::ImportError,
    found::{Found, MOST_FOUND},
};
use alloc::{borrow::ToOwned, format, string::ToString, vec::Vec};
use serde_json::Value;

/// The registrations in it.
pub(super) fn registrations(text: &str) -> Result<Vec<Found>, ImportError> {
    let wrong = |text| ImportError::Line { line: 1, text };
    let json: Value = serde_json::from_str(text).map_err(|error| ImportError::Line {
        line: error.line(),
        text: format!("neither a log nor JSON: {error}"),
    })?;
    let list = match json {
        Value::Array(list) => list,
        object => alloc::vec![object],
    };
    // With --pretty or without, each item is one region.
    let mut found = Vec::new();
    for (number, item) in (1..).zip(&list) {
        if found.len() == MOST_FOUND {
            return Err(ImportError::TooMuch("more than 65536 registrations"));
        }
        if item.get("version").is_some() {
            return Err(wrong(
                "this is a scenario, a set or a capture already: `umem plan` reads it".to_string(),
            ));
        }
        let Some(length) = item.get("mrlen").and_then(number_of) else {
            return Err(wrong(format!(
                "item {number} has no \"mrlen\": `rdma -j resource show mr` prints it"
            )));
        };
        found.push(Found {
            line: number,
            // Without -d, and without CAP_NET_ADMIN, it is left out.
            address: item.get("iova").and_then(number_of),
            length: Some(length),
            device: item
                .get("ifname")
                .and_then(Value::as_str)
                .map(ToOwned::to_owned),
            ..Found::default()
        });
    }
    Ok(found)
}

/// A number, or one as text: rdma prints keys and addresses in hexadecimal.
fn number_of(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => match text.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).ok(),
            None => text.parse().ok(),
        },
        _ => None,
    }
}
