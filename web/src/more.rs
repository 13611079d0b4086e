//! What the page can do beyond presets and fields: reading JSON and files, sets, the story. Behind a [door](crate::door).

use crate::{door::door, file, many::Many, story::Story};
use std::{future::Future, pin::Pin};
use umem_core::{
    capture::Provenance,
    scenario::{Asked, ScenarioError, ScenarioReader},
    set::Set,
};
use web_sys::{File, ReadableStream};

/// What a file turns out to be, in time.
type Opened = Pin<Box<dyn Future<Output = Result<Asked, String>>>>;

/// The functions behind the door.
#[derive(Debug)]
pub(crate) struct More {
    /// Reads a scenario or a set.
    pub(crate) read: fn(&[u8]) -> Result<Asked, ScenarioError>,
    /// Reads what somebody opens.
    pub(crate) file: fn(File) -> Opened,
    /// Reads what a server sends.
    pub(crate) stream: fn(ReadableStream) -> Opened,
    /// Works a set out; see [`Many::new`].
    pub(crate) many: fn(&Set, Option<usize>) -> Result<Many, ScenarioError>,
    /// Writes a set as JSON.
    pub(crate) write: fn(&Set) -> String,
    /// Reads the story.
    pub(crate) story: fn(&str) -> Result<Story, String>,
    /// What a capture says of where it comes from, a sentence each. It came through this door.
    pub(crate) origin: fn(&Provenance) -> Vec<String>,
}

static ALL: More = More {
    read,
    file: |file| Box::pin(async move { file::opened(&file).await }),
    stream: |stream| Box::pin(file::scenario(stream)),
    many: Many::new,
    write: Set::to_json,
    story: Story::from_json,
    origin: Provenance::sentences,
};

fn read(json: &[u8]) -> Result<Asked, ScenarioError> {
    let mut reader = ScenarioReader::new();
    reader.feed(json)?;
    reader.finish_either()
}

door! {
    /// The door to it.
    MORE, load_more: More = ALL
}
