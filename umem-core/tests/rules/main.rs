//! The rules, held against slow twins, promised properties and wrong input.

mod by_release;
mod cases;
mod common;
mod dma_buf;
mod drivers;
mod evidence;
mod explain;
mod gates;
mod generations;
mod kernels;
mod one_iterator;
mod places;
mod power;
mod presets;
mod promises;
mod sets;
mod single;
mod transcribed;
mod twins;
mod umem;
mod wrong_input;
