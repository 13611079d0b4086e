//! The picture: as long as it is wide, legible, and with the lens where it should be.

mod colours;
mod common;
mod kept;
mod shapes;
mod stops;
mod told;
