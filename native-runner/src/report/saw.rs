//! What the program saw, beside what the plan says.

use std::io::{self, Write};

use umem_core::{
    advice::suspects,
    gate::{Errno, Gate, Verdict},
    registration::Registration,
};

use crate::screen::one_line;

/// What would explain the errno, or that the plan ends with it.
pub fn saw(out: &mut impl Write, registration: &Registration, errno: Errno) -> io::Result<()> {
    let planned = registration
        .table()
        .err()
        .and_then(|refusal| refusal.errno());
    if planned == Some(errno) {
        return writeln!(out, "\nthe program saw {errno}: as planned");
    }
    let instead = match planned {
        Some(other) => format!("ends with {other}"),
        None => "does not end with it".into(),
    };
    writeln!(
        out,
        "\nthe program saw {errno}, and what is described here {instead}: something is not as described"
    )?;
    let suspects = suspects(registration, errno);
    let by_firmware = may_be_firmware(registration, errno);
    if suspects.is_empty() && !by_firmware {
        return writeln!(
            out,
            "  Nothing that umem can plan explains it: look into dmesg for the driver's and the firmware's reason, and watch the call: umem watch"
        );
    }
    writeln!(out, "what would explain it")?;
    for suspect in suspects {
        writeln!(out, "  {}: {}", suspect.gate.name(), one_line(suspect.what))?;
        writeln!(out, "    how to find out: {}", one_line(suspect.find))?;
    }
    if by_firmware {
        writeln!(
            out,
            "  firmware: the device has none left for this region beside all others"
        )?;
        writeln!(
            out,
            "    how to find out: it alone knows; `dmesg | tail` has its reason, and `rdma resource show` counts what is in use"
        )?;
    }
    Ok(())
}

/// Whether nobody knows what the firmware answers, and it may be this.
fn may_be_firmware(registration: &Registration, errno: Errno) -> bool {
    let unknown = registration
        .gates()
        .iter()
        .any(|answer| answer.gate == Gate::Firmware && answer.verdict == Verdict::Unknown);
    unknown && matches!(errno, Errno::Enomem | Errno::Einval | Errno::Eio)
}
