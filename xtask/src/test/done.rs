//! How far a part got.

/// How much of a part was done, all of it having passed.
pub enum Done {
    All,
    /// This had to be left out on this machine.
    Without(String),
}
