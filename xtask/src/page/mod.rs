//! The page: the tools that build it, the building, the serving, the browser.

pub mod browser;
pub mod build;
pub mod serve;
pub mod tools;
