//! What is told in words.

pub mod compare;
pub mod entries;
pub mod keys;
pub mod reason;
pub mod share;
pub mod story;
pub mod totals;

mod advice;
mod bits;
mod exhibits;
mod gates;
mod set;
mod verdicts;
mod ways;
