//! From a device's name to its driver.

use crate::device;

/// The driver of a device by the device's name: "mlx5_0" belongs to mlx5.
pub(super) fn driver(name: &str) -> Option<&'static str> {
    let stem = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let stem = stem
        .strip_suffix("_bond_")
        .or(stem.strip_suffix('_'))
        .unwrap_or(stem);
    let stem = match stem {
        "mana" => "mana_ib",
        // As dmesg has them.
        "mlx4_core" => "mlx4",
        "mlx5_core" => "mlx5",
        "irdma" | "iwp" => "irdma",
        stem => stem,
    };
    Some(device::find(stem)?.name)
}

#[cfg(test)]
mod tests {
    use super::driver;

    #[test]
    fn devices_are_named_after_their_drivers() {
        for (name, expected) in [
            ("mlx5_0", Some("mlx5")),
            ("mlx5_bond_5", Some("mlx5")),
            ("efa_0", Some("efa")),
            ("efa", Some("efa")),
            ("bnxt_re0", Some("bnxt_re")),
            ("rxe0", Some("rxe")),
            ("irdma3", Some("irdma")),
            ("mana_0", Some("mana_ib")),
            ("mlx5_core", Some("mlx5")),
            ("eth0", None),
            ("ibp12s0", None),
            ("", None),
        ] {
            assert_eq!(driver(name), expected, "{name}");
        }
    }
}
