//! The rules, held against slow twins, promised properties and wrong input.

#[cfg(feature = "guide")]
mod advice;
mod budgets;
mod by_release;
mod common;
mod data_direct;
mod dma_buf;
mod drivers;
mod evidence;
mod explain;
mod gates;
mod generations;
mod kernels;
mod middle;
mod one_iterator;
mod places;
mod power;
mod presets;
mod promises;
#[cfg(feature = "guide")]
mod remedies;
mod sets;
mod single;
#[cfg(feature = "guide")]
mod suspects;
mod transcribed;
mod twins;
mod umem;
mod wrong_input;
