//! Which device to use by default.

use crate::missing::Missing;

/// The first of the devices `names` that `open` succeeds for, and in words why it was chosen.
///
/// # Errors
/// No device can be used: what the only one lacks, or each of several.
pub fn first_usable<T>(
    names: &[String],
    mut open: impl FnMut(usize) -> Result<T, Missing>,
) -> Result<(T, String), Missing> {
    let mut passed_over: Vec<(&str, Missing)> = Vec::new();
    for (index, name) in names.iter().enumerate() {
        match open(index) {
            Ok(device) => {
                let count = names.len();
                let why = match (count, in_words(&passed_over)) {
                    (1, _) => "the only device".to_owned(),
                    (_, None) => format!("the first of {count} devices that can be used"),
                    (_, Some(others)) => {
                        format!(
                            "the first of {count} devices that can be used; passed over: {others}"
                        )
                    }
                };
                return Ok((device, why));
            }
            Err(missing) => passed_over.push((name, missing)),
        }
    }
    Err(match passed_over.as_slice() {
        [(_, missing)] => missing.clone(),
        all => Missing::device(
            format!(
                "an RDMA device that can be used ({})",
                in_words(all).unwrap_or_else(|| "there is none".to_owned())
            ),
            all.first().map_or_else(
                || "umem doctor".to_owned(),
                |(_, missing)| missing.way_out.clone(),
            ),
        ),
    })
}

/// What each of them lacks; `None` where there are none.
fn in_words(passed_over: &[(&str, Missing)]) -> Option<String> {
    let words: Vec<_> = passed_over
        .iter()
        .map(|(name, missing)| format!("{name} needs {}", missing.what))
        .collect();
    (!words.is_empty()).then(|| words.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(devices: &[(&str, bool)]) -> Result<(String, String), Missing> {
        let names: Vec<String> = devices.iter().map(|(name, _)| (*name).to_owned()).collect();
        first_usable(&names, |index| match devices[index].1 {
            true => Ok(names[index].clone()),
            false => Err(Missing::device(
                format!("a port of {} that is up", names[index]),
                "wait",
            )),
        })
    }

    #[test]
    fn the_first_with_an_active_port_is_taken_and_it_is_said_why() {
        let (name, why) = choose(&[("mlx5_0", false), ("mlx5_1", true), ("rxe0", true)]).unwrap();
        assert_eq!(name, "mlx5_1");
        assert_eq!(
            why,
            "the first of 3 devices that can be used; passed over: mlx5_0 needs a port of mlx5_0 that is up"
        );
        assert_eq!(choose(&[("rxe0", true)]).unwrap().1, "the only device");
        assert_eq!(
            choose(&[("a", true), ("b", false)]).unwrap().1,
            "the first of 2 devices that can be used"
        );
    }

    #[test]
    fn where_none_can_be_used_each_says_why() {
        let one = choose(&[("a", false)]).unwrap_err();
        assert_eq!(one.what, "a port of a that is up");
        let both = choose(&[("a", false), ("b", false)]).unwrap_err();
        assert!(
            both.what
                .contains("a needs a port of a that is up; b needs"),
            "{both}"
        );
        assert_eq!(both.way_out, "wait");
    }
}
