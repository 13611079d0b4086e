//! What the page can do beyond presets and fields: reading JSON and files, sets, the story. Behind a [door](crate::door).

use crate::{door::door, fetched, file, many::Many, story::Story};
use std::{future::Future, pin::Pin};
use umem_core::{
    scenario::{Asked, ScenarioError, ScenarioReader},
    set::Set,
};
use web_sys::File;

/// What a file turns out to be, in time.
type Opened = Pin<Box<dyn Future<Output = Result<Asked, String>>>>;

/// The story, in time.
type Told = Pin<Box<dyn Future<Output = Result<Story, String>>>>;

/// The functions behind the door.
#[derive(Debug)]
pub(crate) struct More {
    /// Reads a scenario or a set.
    pub(crate) read: fn(&[u8]) -> Result<Asked, ScenarioError>,
    /// Reads what somebody opens.
    pub(crate) file: fn(File) -> Opened,
    /// Reads the scenario that `?src=` names.
    pub(crate) source: fn(String) -> Opened,
    /// Works a set out; see [`Many::new`].
    pub(crate) many: fn(&Set, Option<usize>) -> Result<Many, ScenarioError>,
    /// Writes a set as JSON.
    pub(crate) write: fn(&Set) -> String,
    /// Reads the story, which lies at that address.
    pub(crate) story: fn(String) -> Told,
}

static ALL: More = More {
    read,
    file: |file| Box::pin(async move { file::opened(&file).await }),
    source: |source| Box::pin(fetched::source(source)),
    many: Many::new,
    write: Set::to_json,
    story: |address| Box::pin(fetched::story(address)),
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
