//! What two contenders took in turns, as a table.
//!
//! What is compared is always a pair of times of the same round: what disturbs a round disturbs both. Times and ratios are medians
//! over the rounds; the spread is the middle half of the ratios.

use anyhow::{Context, Result, ensure};
use std::fmt::Write;

/// A workload, and what it took.
struct Row {
    name: String,
    unit: String,
    /// The nanoseconds a unit in each round, of the first contender and of the second.
    rounds: Vec<[f64; 2]>,
}

impl Row {
    /// A line of what measures: the name, the unit, and the times round by round, with tabs between them.
    fn parse(line: &str) -> Result<Self> {
        let mut fields = line.split('\t');
        let mut word = || fields.next().map(str::to_owned);
        let name = word().context("no name")?;
        let unit = word().context("no unit")?;
        let times: Vec<f64> = fields.map(str::parse).collect::<Result<_, _>>()?;
        let (rounds, rest) = times.as_chunks();
        ensure!(!rounds.is_empty() && rest.is_empty(), "no pairs of times");
        Ok(Row {
            name,
            unit,
            rounds: rounds.to_vec(),
        })
    }
}

/// Draws what was measured, a line a workload. `contenders` took the first and the second time of each pair; the second's, as a
/// multiple of the first's, should be `most` at most.
pub fn draw(measured: &str, contenders: [&str; 2], most: Option<f64>) -> Result<String> {
    let [first, second] = contenders;
    let goal = most.map_or(String::new(), |most| format!(" at most {most} |"));
    let line = most.map_or("", |_| "---|");
    let mut text = format!(
        "| path | {first} | {second} | {second} / {first} | spread |{goal}\n|---|--:|--:|--:|--:|{line}\n"
    );
    for line in measured.lines() {
        let Row { name, unit, rounds } =
            Row::parse(line).with_context(|| format!("not a measurement: {line}"))?;
        let [_, one, _] = quartiles(rounds.iter().map(|[one, _]| *one));
        let [_, other, _] = quartiles(rounds.iter().map(|[_, other]| *other));
        let [low, ratio, high] = quartiles(rounds.iter().map(|[one, other]| other / one));
        let verdict = match most {
            None => "",
            Some(most) if ratio <= most => " met |",
            Some(_) => " **missed** |",
        };
        let _ = writeln!(
            text,
            "| {name} | {one:.2} ns a {unit} | {other:.2} ns | {ratio:.2} | {low:.2}–{high:.2} |{verdict}"
        );
    }
    Ok(text)
}

/// The first quartile, the median and the third.
fn quartiles(values: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| values[(values.len() - 1) * quarter / 4])
}

#[cfg(test)]
mod tests {
    use super::draw;

    #[test]
    fn ratios_are_taken_round_by_round() {
        // The machine was three times as slow in the second round, and somebody disturbed the third.
        let measured = "a path\tblock\t1\t2\t3\t6\t1\t9\n";
        let text = draw(measured, ["native", "wasm"], Some(2.5)).unwrap();
        assert_eq!(
            text.lines().last().unwrap(),
            "| a path | 1.00 ns a block | 6.00 ns | 2.00 | 2.00–2.00 | met |"
        );
        let text = draw(measured, ["native", "wasm"], Some(1.5)).unwrap();
        assert!(text.ends_with(" **missed** |\n"), "{text}");
        let text = draw(measured, ["umem", "thpmaps"], None).unwrap();
        assert!(
            text.starts_with("| path | umem | thpmaps | thpmaps / umem | spread |\n"),
            "{text}"
        );
    }

    #[test]
    fn what_is_no_measurement_is_refused() {
        for line in [
            "a path",
            "a path\tblock",
            "a path\tblock\t1\t2\t3",
            "a\tb\tc\td",
        ] {
            assert!(draw(line, ["a", "b"], None).is_err(), "{line}");
        }
    }
}
