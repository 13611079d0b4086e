//! The page: the tools that build it, the building, its index, the packing for npm, the serving, the browser.

pub mod browser;
pub mod build;
mod bundle;
mod cases;
mod index;
mod npm;
pub mod package;
mod shrink;
pub mod site;
mod split;
pub mod tools;
