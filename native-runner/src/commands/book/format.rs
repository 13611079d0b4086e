//! The scenario format as tables, from its JSON Schema.

use std::fmt::Write;

use anyhow::Context;
use serde_json::{Map, Value};

use super::{cell, table};

/// The schema, which a test of umem-core holds to its types.
const SCHEMA: &str = include_str!("../../../../umem-core/scenario.schema.json");

/// A section a type, the scenario first.
pub fn scenario() -> anyhow::Result<String> {
    let schema: Value = serde_json::from_str(SCHEMA).context("the schema")?;
    let mut text = String::new();
    section(&mut text, "Scenario", &schema)?;
    let types = schema["$defs"]
        .as_object()
        .context("the schema has no $defs")?;
    for (name, about) in types {
        section(&mut text, name, about)?;
    }
    Ok(text)
}

fn section(text: &mut String, name: &str, about: &Value) -> anyhow::Result<()> {
    writeln!(text, "## {name}\n\n{}\n", words(about))?;
    if let Some(fields) = about["properties"].as_object() {
        *text += &table(
            ["field", "type", "meaning"],
            rows(fields, &about["required"]).into_iter(),
        );
    } else {
        let choices = ["anyOf", "oneOf"]
            .iter()
            .find_map(|key| about[key].as_array());
        for choice in choices.into_iter().flatten() {
            let words = words(choice);
            let words = if words.is_empty() {
                words
            } else {
                format!(": {words}")
            };
            writeln!(text, "- {}{words}", kind(choice))?;
        }
    }
    text.push('\n');
    Ok(())
}

fn rows(fields: &Map<String, Value>, required: &Value) -> Vec<[String; 3]> {
    let needed = |name: &str| {
        let names = required.as_array();
        names.is_some_and(|names| names.iter().any(|needed| needed == name))
    };
    let row = |(name, field): (&String, &Value)| {
        let must = if needed(name) { " (required)" } else { "" };
        [format!("`{name}`{must}"), kind(field), words(field)]
    };
    fields.iter().map(row).collect()
}

/// The description; its links into the code's own docs are those docs' affair.
fn words(about: &Value) -> String {
    let text = about["description"].as_str().unwrap_or_default();
    let mut words = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("](crate::") {
        words += &before.replace("[`", "`");
        rest = after.split_once(')').map_or("", |(_, rest)| rest);
    }
    cell(&(words + rest))
}

/// What a value may be, in words that link to the other types.
fn kind(about: &Value) -> String {
    if let Some(reference) = about["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or(reference);
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(value) = about["const"].as_str() {
        return format!("`\"{value}\"`");
    }
    if let Some(pattern) = about["pattern"].as_str() {
        return format!("text, `{}`", pattern.replace('|', "\\|"));
    }
    if let Some(choices) = about["anyOf"].as_array() {
        let kinds = choices.iter().map(kind).filter(|kind| kind != "null");
        return kinds.collect::<Vec<_>>().join(" or ");
    }
    match &about["type"] {
        Value::String(name) if name == "array" => list(about),
        Value::Array(names) if names.iter().any(|name| name == "array") => list(about),
        Value::String(name) => plain(name).into(),
        Value::Array(names) => {
            let names = names
                .iter()
                .filter_map(Value::as_str)
                .filter(|name| *name != "null");
            names.map(plain).collect::<Vec<_>>().join(" or ")
        }
        _ => String::new(),
    }
}

fn list(about: &Value) -> String {
    let items = &about["items"];
    match items["prefixItems"].as_array() {
        Some(pair) => format!(
            "list of \\[{}\\]",
            pair.iter().map(kind).collect::<Vec<_>>().join(", ")
        ),
        None => format!("list of {}", kind(items)),
    }
}

fn plain(name: &str) -> &str {
    match name {
        "string" => "text",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_field_and_type_is_told() {
        let text = super::scenario().unwrap();
        for line in [
            "## Scenario",
            "| `region` (required) | [Region](#region) |",
            "- `\"descending\"`: ",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("crate::"), "{text}");
    }
}
