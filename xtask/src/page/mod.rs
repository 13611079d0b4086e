//! The page: the tools that build it, the building, the packing for npm, the serving, the browser.

pub mod browser;
pub mod build;
pub mod bundle;
mod npm;
pub mod package;
pub mod site;
pub mod tools;
