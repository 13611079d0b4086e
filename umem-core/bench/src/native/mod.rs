//! Times, beside the peers' or in turns with a browser's; or what callgrind is to count.

mod measure;
mod turns;

use std::io;
use std::process::ExitCode;
use umem_bench::{Path, SECTIONS, Scale, Work};

const USAGE: &str = "usage: umem-bench table ROUNDS [SECTION [NAME]]\n       umem-bench instructions\n       umem-bench turns browser|small";

/// Does what the command line asks for.
pub fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["table", rounds, ref only @ ..] if only.len() <= 2 => {
            let Ok(rounds @ 1..) = rounds.parse() else {
                eprintln!("{USAGE}");
                return ExitCode::from(2);
            };
            let only = |i: usize| only.get(i).copied().unwrap_or_default();
            let mut paths = paths(Scale::Full, only(0), only(1));
            print!("{}", measure::table(&mut paths, rounds));
        }
        // Under callgrind, which is told to count within `umem_bench_counted` and to write a file after each call of it: the
        // n-th file is about the n-th name.
        ["instructions"] => {
            // A thread's stack begins at a page, wherever the main one does: what clears memory there takes the same steps
            // whatever stands in the environment.
            let counted = std::thread::spawn(|| {
                for Path { name, mut ours, .. } in paths(Scale::Small, "", "") {
                    umem_bench_counted(&mut ours);
                    println!("{name}");
                }
            });
            counted.join().expect("a path panicked");
        }
        ["turns", scale @ ("browser" | "small")] => {
            let scale = match scale {
                "small" => Scale::Small,
                _ => Scale::Browser,
            };
            if let Err(error) = turns::answer(scale, io::stdin().lock(), io::stdout().lock()) {
                eprintln!("umem-bench: {error}");
                return ExitCode::FAILURE;
            }
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn paths(scale: Scale, section: &str, name: &str) -> Vec<Path> {
    SECTIONS
        .iter()
        .filter(|(about, _)| about.contains(section))
        .flat_map(|(_, paths)| paths(scale))
        .filter(|path| path.name.contains(name))
        .collect()
}

/// What callgrind counts, by a name that no compiler changes.
// SAFETY: no other function of this program has this name.
#[unsafe(no_mangle)]
#[inline(never)]
extern "Rust" fn umem_bench_counted(work: &mut Work) {
    std::hint::black_box(work());
}
