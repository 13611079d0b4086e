//! Debian's kernels by the number of their ABI: 55 in "6.1.0-55-amd64".
//!
//! From the changelogs of linux-source-5.10 and -6.1: "Bump ABI to …", and since 2025 a new number with each upload. Since Debian 13
//! the name tells the release itself: "6.12.117+deb13-amd64".

use super::Release;

/// The ABI numbers of a series, each with the oldest and the newest point release that had it.
type Abis = &'static [(u16, u16, u16)];

const SERIES: [(u16, u16, Abis); 2] = [
    (
        5,
        10,
        &[
            (2, 9, 9),
            (3, 12, 13),
            (4, 19, 19),
            (5, 24, 26),
            (6, 28, 28),
            (7, 38, 40),
            (8, 46, 46),
            (9, 70, 70),
            (10, 84, 84),
            (11, 92, 92),
            (12, 103, 103),
            (13, 106, 106),
            (14, 113, 113),
            (15, 120, 120),
            (16, 127, 127),
            (17, 136, 136),
            (18, 140, 140),
            (19, 148, 149),
            (20, 158, 158),
            (21, 162, 162),
            (22, 178, 178),
            (23, 179, 179),
            (24, 179, 179),
            (25, 191, 191),
            (26, 197, 197),
            (27, 205, 205),
            (28, 209, 209),
            (29, 216, 216),
            (30, 218, 218),
            (31, 221, 221),
            (32, 223, 223),
            (33, 226, 226),
            (34, 234, 234),
            (35, 237, 237),
            (36, 244, 244),
            (37, 247, 247),
            (38, 249, 249),
            (39, 251, 251),
            (40, 251, 251),
            (41, 251, 251),
            (42, 251, 251),
            (43, 251, 251),
            (44, 257, 257),
            (45, 259, 259),
            (46, 262, 262),
        ],
    ),
    (
        6,
        1,
        &[
            (2, 7, 7),
            (3, 8, 8),
            (4, 11, 11),
            (5, 12, 12),
            (6, 15, 15),
            (7, 20, 20),
            (8, 25, 25),
            (9, 27, 27),
            (10, 37, 38),
            (11, 38, 38),
            (12, 52, 52),
            (13, 55, 55),
            (14, 64, 64),
            (15, 66, 66),
            (16, 67, 67),
            (17, 69, 69),
            (18, 76, 76),
            (19, 82, 82),
            (20, 85, 85),
            (21, 90, 90),
            (22, 94, 94),
            (23, 98, 99),
            (24, 106, 106),
            (25, 106, 106),
            (26, 112, 112),
            (27, 115, 115),
            (28, 119, 119),
            (29, 123, 123),
            (30, 124, 124),
            (31, 128, 128),
            (32, 129, 129),
            (33, 133, 133),
            (34, 135, 135),
            (35, 137, 137),
            (36, 139, 139),
            (37, 140, 140),
            (38, 147, 147),
            (39, 148, 148),
            (40, 153, 153),
            (41, 158, 158),
            (42, 159, 159),
            (43, 162, 162),
            (44, 164, 164),
            (45, 170, 170),
            (46, 170, 170),
            (47, 170, 170),
            (48, 172, 172),
            (49, 174, 174),
            (50, 176, 176),
            (51, 177, 177),
            (52, 180, 180),
            (53, 187, 187),
            (54, 190, 190),
            (55, 192, 192),
            (56, 192, 192),
            (57, 192, 192),
        ],
    ),
];

/// The oldest and the newest release that "`major`.`minor`.0-`abi`-amd64" can be; `None` if the number is not known to be Debian's.
pub(super) fn releases(major: u16, minor: u16, abi: u16) -> Option<(Release, Release)> {
    let (.., abis) = SERIES.iter().find(|(a, b, _)| (*a, *b) == (major, minor))?;
    let (_, oldest, newest) = abis.iter().find(|(known, ..)| *known == abi)?;
    Some((
        Release::new(major, minor, *oldest),
        Release::new(major, minor, *newest),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_ascend() {
        for (.., abis) in SERIES {
            assert!(abis.is_sorted());
            assert!(abis.iter().all(|(_, oldest, newest)| oldest <= newest));
        }
    }

    #[test]
    fn an_abi_stands_for_the_uploads_that_had_it() {
        let patches = |abi| releases(6, 1, abi).map(|(from, to)| (from.patch, to.patch));
        assert_eq!(patches(23), Some((98, 99)));
        assert_eq!(patches(37), Some((140, 140)));
        assert_eq!(patches(47), Some((170, 170))); // as the archive has it
        assert_eq!(patches(57), Some((192, 192)));
        assert_eq!(patches(1), None);
        assert_eq!(patches(58), None);
        assert_eq!(releases(6, 8, 84), None);
    }
}
