//! The mail's own code and its first idea, run on a registration for comparison.

use crate::{
    address::Joined,
    registration::Registration,
    table::{
        Tally,
        mail::{Draft, cut_before_mapping},
    },
};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};

/// A region's table by a piece of the mail's code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exhibit {
    /// Its name: `as-written`, `with-the-reply`, `cut-before-mapping`.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// The entries that it makes, up to where it stops.
    pub tally: Tally,
    /// Why it stops before the end of the region, if it does.
    pub stopped: Option<String>,
}

/// Regions of more pages get no exhibits: the mail's loop goes block by block.
pub const MOST_PAGES: u64 = 1 << 20;

/// The mail's loop as written and with the reply, run on the frames before mapping as the mail has it; and its first
/// idea, cutting before mapping. Empty for a region of more than [`MOST_PAGES`] pages, and if mapping was refused.
pub fn exhibits(registration: &Registration) -> Vec<Exhibit> {
    if registration.pages() > MOST_PAGES || registration.dma_count().is_err() {
        return Vec::new();
    }
    let sizes = registration.question().device().page_sizes;
    let index = registration.clone().index();
    let mapped = |offset: u64| index.dma_address(offset);
    let cut_first = cut_before_mapping(registration.frames(), sizes, |entry| mapped(entry.offset));
    [
        draft(
            registration,
            "as-written",
            "ib_umem_add_page_sg() as the mail has it",
            Draft::AS_WRITTEN,
        ),
        draft(
            registration,
            "with-the-reply",
            "the same with the mask and the countdown of Shiraz Saleem's reply",
            Draft::WITH_THE_REPLY,
        ),
        Exhibit {
            name: "cut-before-mapping",
            about: "the first idea: cut the frames, then map, then only make smaller",
            tally: cut_first,
            stopped: None,
        },
    ]
    .into()
}

fn draft(
    registration: &Registration,
    name: &'static str,
    about: &'static str,
    draft: Draft,
) -> Exhibit {
    let question = registration.question();
    let (page, sizes) = (question.mr().page, question.device().page_sizes);
    let (mut tally, mut stopped) = (Tally::default(), None);
    for run in Joined::new(registration.frames()) {
        let mut entries = draft.run(run.start, run.length >> page.log2(), page, sizes);
        entries
            .by_ref()
            .for_each(|(_, length)| tally.add(length, 1));
        stopped = entries.stopped().map(|stopped| stopped.to_string());
        if stopped.is_some() {
            break;
        }
    }
    Exhibit {
        name,
        about,
        tally,
        stopped,
    }
}
