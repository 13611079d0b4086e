//! What people paste, read as `umem import` reads it. JSON of a scenario, a set or a capture is taken as it is.

use crate::limit::bounded_any;
use serde_json::{Value, json};
use umem_core::{
    device,
    import::{Decided, Given, ImportError, Imported, Layouts, Missing, import},
    iommu,
    scenario::{Asked, ScenarioError, ScenarioReader},
};

/// Something that is wrong: the option of `umem import` that says it, or "" for the text; and what.
type Wrong = (&'static str, String);

/// What `text` tells of, together with what is `given`, an object of the options of `umem import`: `{"asked", "notes"}`; what it does not
/// say, by the options that say it, `{"missing"}`; or what is wrong, `{"wrong"}`.
pub(crate) fn pasted(text: &str, given: &str) -> Value {
    let read = given_of(given).and_then(|given| match is_asked(text) {
        true => asked(text),
        false => imported(text, &given),
    });
    read.unwrap_or_else(|(option, text)| json!({ "wrong": { "option": option, "text": text } }))
}

/// Whether it is JSON of what is asked, and not of what `rdma` prints.
fn is_asked(text: &str) -> bool {
    text.trim_start().starts_with('{') && !text.contains("\"mrlen\"")
}

fn asked(text: &str) -> Result<Value, Wrong> {
    let mut reader = ScenarioReader::new();
    let read = reader
        .feed(text.as_bytes())
        .and_then(|()| reader.finish_either());
    let asked = read.map_err(wrong)?;
    bounded_any(&asked).map_err(wrong)?;
    worked_out(&asked, &[])
}

fn imported(text: &str, given: &Given) -> Result<Value, Wrong> {
    match import(text, given) {
        Ok(mut imported) => {
            bounded_any(&imported.asked).map_err(wrong)?;
            let layouts = imported.layouts().map_err(wrong)?;
            let Imported {
                asked,
                errno,
                notes,
                decided,
            } = &mut imported;
            let saw = errno.map(|errno| format!("; the program saw {errno}"));
            let name = Some(format!("From a text{}", saw.unwrap_or_default()));
            match asked {
                Asked::Scenario(scenario) => scenario.name = name,
                Asked::Set(set) => set.name = name,
            }
            notes.extend(decided.as_ref().map(unneeded));
            notes.extend(layouts.as_ref().map(extremes));
            worked_out(asked, notes)
        }
        Err(ImportError::Missing(missing)) => Ok(json!({
            "missing": missing.iter().map(told).collect::<Vec<_>>()
        })),
        Err(ImportError::WhichMapping(text)) => Ok(json!({ "missing": [which(&text)] })),
        Err(error) => Err(("", error.to_string())),
    }
}

/// What was not asked for, as there is no need to.
fn unneeded(Decided { unneeded, gate }: &Decided) -> String {
    let names: Vec<_> = unneeded.iter().map(|missing| missing.what).collect();
    format!(
        "The text does not name {}, and need not: the region is refused at {}, before that matters.",
        names.join(" and "),
        gate.name()
    )
}

/// The two answers of which the page shows one.
fn extremes(Layouts { imported, adjacent }: &Layouts) -> String {
    format!(
        "With scattered frames: {imported}. If all are adjacent (Layout \"contiguous\"): {adjacent}."
    )
}

/// What can be worked out here, as JSON, with what was inferred.
fn worked_out(asked: &Asked, notes: &[String]) -> Result<Value, Wrong> {
    let json = match asked {
        Asked::Scenario(scenario) => scenario.to_json(),
        Asked::Set(set) => {
            set.plan().map_err(wrong)?;
            set.to_json()
        }
    };
    Ok(json!({ "asked": json, "notes": notes }))
}

/// What is wrong with a scenario, beside the field that says it.
fn wrong(error: ScenarioError) -> Wrong {
    let options = [
        ("device", "device"),
        ("iommu", "iommu"),
        ("kernel.release", "release"),
        ("kernel.page_size", "kernel-page"),
        ("memory.page_size", "page-size"),
        ("region.length", "length"),
        ("region.va", "va"),
    ];
    let found = options
        .into_iter()
        .find(|(field, _)| error.field().starts_with(field));
    (found.map_or("", |(_, option)| option), error.to_string())
}

/// Something that is missing: the option that says it, where to find it, and what it may be.
fn told(missing: &Missing) -> Value {
    let option = missing.option.trim_start_matches("--");
    let option = option.split(' ').next().unwrap_or_default();
    let choices: Vec<&str> = match option {
        "device" => device::CATALOGUE.iter().map(|device| device.name).collect(),
        "iommu" => {
            let names = iommu::CATALOGUE.iter().map(|iommu| iommu.name);
            ["off"].into_iter().chain(names).collect()
        }
        "page-size" => vec!["4K", "64K", "2M", "1G"],
        "kernel-page" => vec!["4K", "16K", "64K"],
        _ => Vec::new(),
    };
    json!({ "option": option, "what": missing.what, "find": missing.find, "choices": choices })
}

/// Which of several mappings is registered: the error has the longest, a line each.
fn which(text: &str) -> Value {
    let lines: Vec<&str> = text
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("--va "))
        .collect();
    let starts: Vec<_> = lines
        .iter()
        .filter_map(|line| line.split(' ').next())
        .collect();
    json!({
        "option": "va",
        "what": "where the registered mapping begins",
        "find": format!("the longest are {}", lines.join("; ")),
        "choices": starts,
    })
}

fn given_of(json: &str) -> Result<Given, Wrong> {
    let fields: Value = serde_json::from_str(json).map_err(|error| ("", error.to_string()))?;
    let text = |option: &str| fields.get(option).and_then(Value::as_str);
    let size = |option: &'static str| parsed(option, text(option));
    Ok(Given {
        va: parsed("va", text("va"))?,
        length: size("length")?,
        page_size: size("page-size")?,
        kernel_page: size("kernel-page")?,
        device: text("device").map(Into::into),
        iommu: text("iommu").map(Into::into),
        release: text("release").map(Into::into),
        ..Given::default()
    })
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    option: &'static str,
    text: Option<&str>,
) -> Result<Option<T>, Wrong> {
    let parse = |text: &str| {
        text.parse()
            .map_err(|error| (option, format!("\"{text}\" {error}")))
    };
    text.map(parse).transpose()
}
