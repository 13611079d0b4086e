//! Files that people open: JSON, plain or gzip. Nothing is believed before it is measured, and nothing leaves the browser.

use crate::limit::{LARGEST, bounded_any};
use umem_core::{
    scenario::{Asked, ScenarioReader},
    size::Bytes,
};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, File, ReadableStream, ReadableStreamDefaultReader, ReadableWritablePair};

#[wasm_bindgen]
extern "C" {
    /// The browser's own unpacker, which web-sys lacks.
    type DecompressionStream;

    #[wasm_bindgen(constructor, catch)]
    fn new(format: &str) -> Result<DecompressionStream, JsValue>;
}

/// How a gzip file begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Reads the scenario, set or capture in `file`.
///
/// # Errors
/// A sentence about what is wrong with it.
pub async fn opened(file: &File) -> Result<Asked, String> {
    // Nothing of a file that is too long is read at all.
    if file.size() > LARGEST as f64 {
        let tenths = (file.size() / 1e5).round() as u64;
        return Err(format!(
            "is {}.{} MB long; {}",
            tenths / 10,
            tenths % 10,
            limit()
        ));
    }
    scenario(file.stream()).await
}

/// Reads the scenario, set or capture that `stream` brings.
///
/// # Errors
/// A sentence about what is wrong with it.
pub async fn scenario(stream: ReadableStream) -> Result<Asked, String> {
    let bytes = unpacked(collected(stream, "broke off").await?).await?;
    let mut reader = ScenarioReader::new();
    let read = reader.feed(&bytes).and_then(|()| reader.finish_either());
    let asked = read.map_err(|error| unread(&bytes, &error))?;
    drop(bytes);
    bounded_any(&asked).map_err(|error| error.to_string())?;
    Ok(asked)
}

fn limit() -> String {
    format!(
        "this page reads up to {}. `umem plan` takes any length",
        Bytes(LARGEST)
    )
}

/// What is no JSON at all deserves another word than what is nearly a scenario.
fn unread(bytes: &[u8], error: &dyn ToString) -> String {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    match first {
        None => "is empty".into(),
        Some(b'{') => error.to_string(),
        Some(_) => "is no scenario: those are JSON and begin with {".into(),
    }
}

async fn unpacked(bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    if !bytes.starts_with(&GZIP) {
        return Ok(bytes);
    }
    let damaged = || "cannot be unpacked: its gzip data is damaged or cut short";
    let parts = js_sys::Array::of1(&js_sys::Uint8Array::from(bytes.as_slice()));
    drop(bytes);
    let packed = Blob::new_with_u8_array_sequence(&parts).map_err(|_| damaged())?;
    let unpacker = DecompressionStream::new("gzip")
        .map_err(|_| "is gzip, which this browser cannot unpack: unpack it first")?;
    let pair: &ReadableWritablePair = unpacker.unchecked_ref();
    collected(packed.stream().pipe_through(pair), damaged()).await
}

/// All of a stream, as long as it is short enough; `broken` is said where it breaks off.
///
/// Its pieces wait outside of this code's own memory, which never shrinks, until it is known how long they are together.
async fn collected(stream: ReadableStream, broken: &str) -> Result<Vec<u8>, String> {
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    let (mut parts, mut length) = (Vec::new(), 0);
    loop {
        let chunk = JsFuture::from(reader.read()).await.map_err(|_| broken)?;
        let get = |name| js_sys::Reflect::get(&chunk, &JsValue::from_str(name));
        if get("done").is_ok_and(|done| done.is_truthy()) {
            break;
        }
        let value = get("value").map_err(|_| broken)?;
        let part: js_sys::Uint8Array = value.dyn_into().map_err(|_| broken)?;
        length += u64::from(part.length());
        if length > LARGEST {
            // What is still to come is not waited for.
            let _ = reader.cancel();
            return Err(format!("is too long; {}", limit()));
        }
        parts.push(part);
    }
    let mut bytes = vec![0; length as usize];
    let mut start = 0;
    for part in parts {
        let end = start + part.length() as usize;
        part.copy_to(&mut bytes[start..end]);
        start = end;
    }
    Ok(bytes)
}
