//! The page: the tools that build it, the building, the serving.

pub mod build;
pub mod serve;
pub mod tools;
