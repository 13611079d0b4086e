//! The story out of its JSON. The browser parses that: a reader of it in Rust would weigh as much as the panel that shows it.

use super::{Chapter, Choice, Mark, Quote, Setting, Source, Story, Try};
use js_sys::{Array, JSON, Reflect};
use umem_core::{diagram::Stage, scenario::Scenario};
use wasm_bindgen::JsValue;

/// What something is, or what is wrong with it.
type Read<T> = Result<T, String>;

impl Story {
    /// Reads the story.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_json(json: &str) -> Read<Self> {
        let story = JSON::parse(json).map_err(|_| "is not JSON")?;
        Ok(Self {
            source: within(&story, "source", source)?,
            chapters: list(&story, "chapters", chapter)?,
        })
    }
}

/// What an object has under this name. Nothing there, and `null`, is `None`.
fn field(object: &JsValue, name: &str) -> Option<JsValue> {
    let value = Reflect::get(object, &JsValue::from_str(name)).ok()?;
    (!value.is_undefined() && !value.is_null()).then_some(value)
}

fn lacks(name: &str) -> String {
    format!("\"{name}\" is missing, or not of its type")
}

fn perhaps<T>(object: &JsValue, name: &str, read: fn(&JsValue) -> Read<T>) -> Read<Option<T>> {
    field(object, name).as_ref().map(read).transpose()
}

fn within<T>(object: &JsValue, name: &str, read: fn(&JsValue) -> Read<T>) -> Read<T> {
    perhaps(object, name, read)?.ok_or_else(|| lacks(name))
}

/// The items of a list; none where there is no such list.
fn list<T>(object: &JsValue, name: &str, read: fn(&JsValue) -> Read<T>) -> Read<Vec<T>> {
    match field(object, name) {
        Some(list) if Array::is_array(&list) => {
            Array::from(&list).iter().map(|item| read(&item)).collect()
        }
        Some(_) => Err(lacks(name)),
        None => Ok(Vec::new()),
    }
}

fn words(value: &JsValue) -> Read<String> {
    value
        .as_string()
        .ok_or_else(|| "a text is not a text".into())
}

fn text(object: &JsValue, name: &str) -> Read<String> {
    let value = field(object, name).and_then(|value| value.as_string());
    value.ok_or_else(|| lacks(name))
}

fn source(value: &JsValue) -> Read<Source> {
    Ok(Source {
        title: text(value, "title")?,
        url: text(value, "url")?,
    })
}

fn chapter(value: &JsValue) -> Read<Chapter> {
    Ok(Chapter {
        title: text(value, "title")?,
        text: list(value, "text", words)?,
        quote: perhaps(value, "quote", quote)?,
        after: list(value, "after", words)?,
        scene: within(value, "scene", setting)?,
        ask: text(value, "ask")?,
        choices: list(value, "choices", choice)?,
        shows: within(value, "shows", setting)?,
        truth: list(value, "truth", words)?,
        quoted: perhaps(value, "quoted", quote)?,
        end: list(value, "end", words)?,
        tries: list(value, "tries", to_try)?,
    })
}

fn quote(value: &JsValue) -> Read<Quote> {
    Ok(Quote {
        text: text(value, "text")?,
        who: text(value, "who")?,
        source: perhaps(value, "source", words)?,
    })
}

fn choice(value: &JsValue) -> Read<Choice> {
    Ok(Choice {
        text: text(value, "text")?,
        reply: text(value, "reply")?,
        right: field(value, "right").is_some_and(|right| right.is_truthy()),
    })
}

fn to_try(value: &JsValue) -> Read<Try> {
    Ok(Try {
        text: text(value, "text")?,
        scene: within(value, "scene", setting)?,
    })
}

fn setting(value: &JsValue) -> Read<Setting> {
    Ok(Setting {
        preset: perhaps(value, "preset", words)?,
        scenario: perhaps(value, "scenario", scenario)?,
        with: perhaps(value, "with", scenario)?,
        at: within(value, "at", mark)?,
        to: perhaps(value, "to", mark)?,
    })
}

fn scenario(value: &JsValue) -> Read<Scenario> {
    let json = JSON::stringify(value).map_err(|_| "a scenario is not an object")?;
    Scenario::from_json(String::from(json).as_bytes()).map_err(|error| error.to_string())
}

fn mark(value: &JsValue) -> Read<Mark> {
    Ok(match words(value)?.as_str() {
        "pin" => Mark::Begin(Stage::Pin),
        "gather" => Mark::Begin(Stage::Gather),
        "map" => Mark::Begin(Stage::Map),
        "cut" => Mark::Begin(Stage::Cut),
        "end" => Mark::End,
        other => return Err(format!("\"{other}\" is not the name of a moment")),
    })
}
