//! A line through times: so much a region, so much for each 4K.

use serde::Serialize;

/// `region + page × n`, in microseconds.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Line {
    /// What a region takes, whatever its length. Never below 0.
    pub region_us: f64,
    /// What each 4K of it adds. Never below 0.
    pub page_us: f64,
    /// How far the point that fits worst is off, as a part of its time: 0.1 is 10 %.
    pub worst: f64,
}

impl Line {
    /// The line that is nearest to `points` of (4K pages, microseconds), each weighed by its own time, so that short regions count for as much as
    /// long ones: least squares of the relative error.
    pub fn through(points: &[(f64, f64)]) -> Self {
        let (mut w, mut wn, mut wnn, mut wt, mut wnt) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for &(n, time) in points {
            let weight = 1.0 / (time * time).max(1e-6);
            w += weight;
            wn += weight * n;
            wnn += weight * n * n;
            wt += weight * time;
            wnt += weight * n * time;
        }
        let determinant = w * wnn - wn * wn;
        let (mut region, mut page) = match determinant > 0.0 {
            true => (
                (wt * wnn - wn * wnt) / determinant,
                (w * wnt - wn * wt) / determinant,
            ),
            false => (wt / w.max(1e-12), 0.0),
        };
        // Times that fall with the length, or a line below 0 at its beginning, are noise: one of the two is nothing then.
        if page < 0.0 {
            (region, page) = (wt / w.max(1e-12), 0.0);
        } else if region < 0.0 {
            (region, page) = (0.0, wnt / wnn.max(1e-12));
        }
        let off = |&(n, time): &(f64, f64)| ((region + page * n) / time.max(1e-3) - 1.0).abs();
        Self {
            region_us: region,
            page_us: page,
            worst: points.iter().map(off).fold(0.0, f64::max),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_line_is_found_again(region in 1.0f64..1000.0, page in 0.001f64..2.0, noise in prop::collection::vec(-0.01f64..0.01, 6)) {
            let points: Vec<_> = noise.iter().enumerate().map(|(i, noise)| {
                let n = 4f64.powi(i as i32);
                (n, (region + page * n) * (1.0 + noise))
            }).collect();
            let line = Line::through(&points);
            // Every point is met to a few percent, whatever its length.
            prop_assert!(line.worst < 0.05, "{line:?} through {points:?}");
            let exact: Vec<_> = points.iter().map(|(n, _)| (*n, region + page * n)).collect();
            let line = Line::through(&exact);
            prop_assert!((line.region_us / region - 1.0).abs() < 1e-6, "{line:?}");
            prop_assert!((line.page_us / page - 1.0).abs() < 1e-3, "{line:?}");
        }

        #[test]
        fn no_times_give_a_negative_or_no_number(points in prop::collection::vec((0.0f64..1e6, 0.0f64..1e6), 0..6)) {
            let line = Line::through(&points);
            prop_assert!(line.region_us >= 0.0 && line.page_us >= 0.0 && line.region_us.is_finite(), "{line:?}");
        }
    }
}
