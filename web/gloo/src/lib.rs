//! The parts of gloo that yew and the page use, by the names that gloo gives them.
//!
//! yew asks for all of gloo 0.11, which is an umbrella: re-exports of crates that each do one thing. Most are of no use here (workers,
//! storage, requests, routes), and are compiled before anybody sees the page. `[patch]` in the workspace's `Cargo.toml` puts this umbrella
//! in its place; what is below it is gloo's own, from the registry.

pub use gloo_console as console;
pub use gloo_events as events;
pub use gloo_render as render;
pub use gloo_timers as timers;
pub use gloo_utils as utils;
