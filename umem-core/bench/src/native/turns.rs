//! The native half of `cargo xtask bench browser`: opens sections and runs paths as standard input asks for them, so that a
//! browser can take turns with it.
//!
//! `sections` is answered by their names in a line, with tabs between them.
//!
//! `open N` is answered by how many paths the N-th section has, and a line for each: its name, its unit, how many units it does.
//!
//! `run N TIMES` does the work of the N-th path so often and is answered by the nanoseconds it took in all, and by the sum of what it
//! returned: both sides having done the same work says the same.

use super::measure::processor_time;
use std::io::{self, BufRead, Write};
use umem_bench::{Path, SECTIONS, Scale};

/// Answers until the input ends.
pub fn answer(scale: Scale, input: impl BufRead, mut output: impl Write) -> io::Result<()> {
    let mut opened: Vec<Path> = Vec::new();
    for line in input.lines() {
        let line = line?;
        let wrong = || io::Error::new(io::ErrorKind::InvalidInput, format!("cannot {line}"));
        let words: Vec<_> = line.split(' ').collect();
        let number = |word: &str| word.parse::<usize>().map_err(|_| wrong());
        match words[..] {
            ["sections"] => {
                writeln!(output, "{}", SECTIONS.map(|(name, _)| name).join("\t"))?;
            }
            ["open", section] => {
                opened.clear();
                let (_, paths) = SECTIONS.get(number(section)?).ok_or_else(wrong)?;
                opened = paths(scale);
                writeln!(output, "{}", opened.len())?;
                for Path {
                    name, unit, units, ..
                } in &opened
                {
                    writeln!(output, "{name}\t{unit}\t{units}")?;
                }
            }
            ["run", path, times] => {
                let path = opened.get_mut(number(path)?).ok_or_else(wrong)?;
                let times = number(times)?;
                let start = processor_time();
                let done = path.run(times);
                writeln!(output, "{}\t{done}", processor_time() - start)?;
            }
            _ => return Err(wrong()),
        }
        output.flush()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(asked: &str) -> io::Result<Vec<String>> {
        let mut said = Vec::new();
        answer(Scale::Small, asked.as_bytes(), &mut said)?;
        let said = String::from_utf8(said).expect("text");
        Ok(said.lines().map(str::to_owned).collect())
    }

    #[test]
    fn a_path_that_runs_twice_does_twice_as_much() {
        let said = answers("sections\nopen 0\nrun 1 1\nrun 1 2\n").unwrap();
        let [sections, count, paths @ .., once, twice] = &said[..] else {
            panic!("{said:?}");
        };
        assert!(sections.starts_with("blocks\tframes\t"), "{sections}");
        assert_eq!(count.parse(), Ok(paths.len()));
        let [_, "block", units] = paths[1].split('\t').collect::<Vec<_>>()[..] else {
            panic!("{paths:?}");
        };
        let done = |line: &str| -> u64 { line.split_once('\t').unwrap().1.parse().unwrap() };
        assert_eq!(done(once), units.parse::<u64>().unwrap());
        assert_eq!(done(twice), 2 * done(once));
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        for asked in ["open 99", "open x", "run 0 1", "run 0", "close"] {
            assert!(answers(asked).is_err(), "{asked}");
        }
    }
}
