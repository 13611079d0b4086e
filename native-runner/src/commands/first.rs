//! `umem` alone: what one would do first on this machine.

use std::{io::Write, path::Path};

use rustix::process::geteuid;

use crate::{exit::Exit, screen::Out, sysfs, watch};

/// Says it.
pub fn steps(out: &mut Out) -> anyhow::Result<Exit> {
    let root = Path::new("/");
    let devices: Vec<_> = sysfs::devices(root)
        .into_iter()
        .map(|device| device.name)
        .collect();
    let sudo = match geteuid().is_root() {
        true => "",
        false => "sudo ",
    };
    writeln!(
        out,
        "How Linux turns registered memory into the page-table entries of an RDMA device.\n"
    )?;
    let steps = match devices.as_slice() {
        [] => {
            writeln!(
                out,
                "This machine has no RDMA device. What needs none, first:"
            )?;
            steps_anywhere()
        }
        [first, ..] => {
            writeln!(
                out,
                "This machine has {}. First:",
                match devices.len() {
                    1 => format!("the RDMA device {first}"),
                    _ => format!("the RDMA devices {}", devices.join(", ")),
                }
            )?;
            let watched = watch::has_programs() && root.join("sys/kernel/btf/vmlinux").exists();
            [
                watched.then(|| {
                    (
                        format!("{sudo}umem watch"),
                        "each registration, as it happens",
                    )
                }),
                Some((
                    format!("{sudo}umem inspect {first}"),
                    "what the device says of itself and of its regions",
                )),
                Some((
                    format!("{sudo}umem check --device {first}"),
                    "the rules, held against it",
                )),
            ]
            .into_iter()
            .flatten()
            .chain(steps_anywhere())
            .collect()
        }
    };
    let width = steps.iter().map(|(command, _)| command.len()).max();
    for (command, what) in &steps {
        writeln!(
            out,
            "  {command:width$}  {what}",
            width = width.unwrap_or(0)
        )?;
    }
    writeln!(
        out,
        "\n`umem help` lists the commands, and `umem help COMMAND` tells of one, with examples."
    )?;
    Ok(Exit::Held)
}

/// What can be done on any machine.
fn steps_anywhere() -> Vec<(String, &'static str)> {
    [
        (
            "umem plan --preset mail --why",
            "the example that all began with, and why",
        ),
        (
            "umem view",
            "the same as a picture that plays, in the browser",
        ),
        (
            "umem list cases Cannot allocate memory",
            "public reports that have this error",
        ),
        ("umem doctor", "what this machine can do, and what it lacks"),
    ]
    .map(|(command, what)| (command.to_owned(), what))
    .into()
}
