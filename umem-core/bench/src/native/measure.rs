//! Times, taken so that they can be compared on a machine that others use as well.
//!
//! All contenders of a path run in turns, round after round, and what is compared is always a pair of times of the same round: what
//! disturbs a round disturbs both. Times and ratios are medians over the rounds; the spread is the middle half of our times. Only the
//! time counts in which the processor was ours; that others share its caches and its memory cannot be counted out.

use rustix::time::{ClockId, clock_gettime};
use std::fmt::Write;
use umem_bench::{Goal, Path, Work};

/// Runs everything, and draws the table.
pub fn table(paths: &mut [Path], rounds: usize) -> String {
    let mut times: Vec<Vec<[f64; 4]>> = vec![Vec::new(); paths.len()];
    for round in 0..=rounds {
        for (path, times) in paths.iter_mut().zip(&mut times) {
            let mut row = [f64::NAN; 4];
            let mut turns: [(usize, Option<&mut Work>); 4] = [
                (0, Some(&mut path.ours)),
                (1, path.kernel.as_mut()),
                (2, path.native.as_mut()),
                (3, path.limit.as_mut()),
            ];
            turns.rotate_left(round % 4);
            for (i, work) in turns {
                if let Some(work) = work {
                    let start = processor_time();
                    std::hint::black_box(work());
                    row[i] = (processor_time() - start) / path.units as f64;
                }
            }
            // The first round warms up.
            if round > 0 {
                times.push(row);
            }
        }
    }
    let mut text = String::from(
        "| path | ours | C -O2 | C -O3 native | limit | spread | goals |\n|---|--:|--:|--:|--:|--:|---|\n",
    );
    for (path, times) in paths.iter().zip(&times) {
        let ours = quartiles(times.iter().map(|row| row[0]));
        let ratio = |i: usize| quartiles(times.iter().map(move |row| row[i] / row[0]));
        let cell = |i: usize| {
            let [_, median, _] = quartiles(times.iter().map(|row| row[i]));
            match median.is_nan() {
                true => String::new(),
                false => format!("{median:.2} ns, {:.2}×", ratio(i)[1]),
            }
        };
        let goals: Vec<_> = path
            .goals
            .iter()
            .map(|goal| match *goal {
                Goal::TimesKernel(times) => {
                    let least = ratio(1)[1].min(ratio(2)[1]);
                    // What writes or reads as much and does nothing else is no faster.
                    let at_limit = ratio(3)[1] >= 0.95;
                    let best = least / ratio(3)[1];
                    match least < times && at_limit && best < times {
                        true => format!("{times} × C: at the limit, which is {best:.2} × C"),
                        false => format!("{times} × C: {}", verdict(least >= times)),
                    }
                }
                Goal::OfLimit(share) => {
                    format!("{share} of the limit: {}", verdict(ratio(3)[1] >= share))
                }
                Goal::Nanoseconds(most) => format!("{most} ns: {}", verdict(ours[1] <= most)),
            })
            .collect();
        let _ = writeln!(
            text,
            "| {} | {:.2} ns a {} | {} | {} | {} | {:.2}–{:.2} | {} |",
            path.name,
            ours[1],
            path.unit,
            cell(1),
            cell(2),
            cell(3),
            ours[0],
            ours[2],
            goals.join("; ")
        );
    }
    text
}

fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "**missed**" }
}

/// The first quartile, the median and the third.
fn quartiles(values: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| values[(values.len() - 1) * quarter / 4])
}

/// The time that this thread was running, in nanoseconds: what others run in between does not count.
pub fn processor_time() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}
