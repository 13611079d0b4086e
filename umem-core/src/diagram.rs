//! A registration → lanes of boxes, at a zoom and a moment → drawing commands → SVG.
//!
//! Nothing here knows a screen: [`draw`] yields a list of [`Command`]s that the page paints on a canvas and
//! [`svg::render`] writes as SVG. The list is as long as the picture is wide, never as long as the region.
//!
//! From top to bottom: the axis; the lanes, each box linked to its source above by a ribbon; a ruler that shows the alignment
//! of each device address; and a lens on a dozen entries, because a 4K entry may be one pixel wide. Between the lanes stand the
//! gates that a region must pass. Where one refuses, a bar closes the way, the lanes behind it stay empty, and the cause and the way
//! out replace the lens.

use crate::registration::Index;

mod axis;
mod command;
mod detail;
mod film;
mod lane_name;
mod lanes;
mod lens;
mod magnify;
mod painter;
pub mod palette;
mod placing;
mod ribbons;
mod ruler;
mod sheet;
mod shown;
mod split;
mod steps;
mod stop;
pub mod svg;
mod view;
mod visible;

pub use command::{Anchor, Command, Drawing, Paint, TextStyle};
pub use detail::{Detail, beside, detail, detail_at, named};
pub use film::film;
pub use lane_name::{LaneName, Stage};
pub use lens::focus;
pub use painter::Attention;
pub use sheet::Heading;
pub use shown::{Lanes, LanesError};
pub use split::split;
pub use steps::{Fronts, Moment, Step, Steps};
pub use view::{OVERVIEW, View};

/// Draws a registration as it is at `moment` (a step, and a part of the next), seen through `view`.
pub fn draw(index: &Index, view: View, moment: f64, attention: Attention) -> Drawing {
    let moment = Steps::new(index).moment(moment);
    painter::Painter::new(index, view, moment, attention).paint()
}
