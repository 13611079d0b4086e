//! The story: a guided tour through the mail, chapter by chapter. Its text is data, `static/story.json`.
//!
//! A chapter sets a scene on the real page, asks the reader to predict, and then plays what happens.

mod read;

use std::rc::Rc;
use umem_core::{
    diagram::{Stage, Steps},
    scenario::{
        Scenario,
        presets::{self, Preset},
    },
};

/// All chapters.
#[derive(Clone, PartialEq, Debug)]
pub struct Story {
    /// Where the quotes are from, if they do not say so themselves.
    pub source: Source,
    /// The chapters, in the order of the mail.
    pub chapters: Vec<Chapter>,
}

/// Where something can be read.
#[derive(Clone, PartialEq, Debug)]
pub struct Source {
    /// What it is.
    pub title: String,
    /// Where it is.
    pub url: String,
}

/// A chapter. Texts are paragraphs with `code` in them; one that begins with three backticks is code as a whole.
#[derive(Clone, PartialEq, Debug)]
pub struct Chapter {
    /// Its title.
    pub title: String,
    /// What comes first.
    pub text: Vec<String>,
    /// What the mail says.
    pub quote: Option<Quote>,
    /// What comes after that.
    pub after: Vec<String>,
    /// What the page shows meanwhile, as far as it gives nothing away.
    pub scene: Setting,
    /// The question.
    pub ask: String,
    /// The answers to choose from.
    pub choices: Vec<Choice>,
    /// What the page plays once one is chosen.
    pub shows: Setting,
    /// What is told then.
    pub truth: Vec<String>,
    /// What the mail says to that.
    pub quoted: Option<Quote>,
    /// The end of it.
    pub end: Vec<String>,
    /// What the reader may try next.
    pub tries: Vec<Try>,
}

/// A sentence of the mail, word for word.
#[derive(Clone, PartialEq, Debug)]
pub struct Quote {
    /// The sentence.
    pub text: String,
    /// Whose it is.
    pub who: String,
    /// Where it is from, if not from the mail.
    pub source: Option<String>,
}

/// An answer.
#[derive(Clone, PartialEq, Debug)]
pub struct Choice {
    /// What it says.
    pub text: String,
    /// What is to be said to it.
    pub reply: String,
    /// Whether it is right.
    pub right: bool,
}

/// Something to try.
#[derive(Clone, PartialEq, Debug)]
pub struct Try {
    /// What the button says.
    pub text: String,
    /// What it shows.
    pub scene: Setting,
}

/// A scenario, perhaps another to compare it with, and the moments between which it plays.
#[derive(Clone, PartialEq, Debug)]
pub struct Setting {
    preset: Option<String>,
    scenario: Option<Scenario>,
    /// What it is compared with.
    pub with: Option<Scenario>,
    at: Mark,
    to: Option<Mark>,
}

/// The beginning of a stage, or the end of everything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mark {
    Begin(Stage),
    End,
}

impl Mark {
    fn moment(self, steps: Steps<'_>) -> f64 {
        let step = match self {
            Self::Begin(stage) => steps.first_of(stage),
            Self::End => steps.count(),
        };
        step as f64
    }
}

impl Setting {
    /// The preset that it shows, if it is one.
    pub fn preset(&self) -> Option<&'static Preset> {
        self.preset.as_deref().and_then(presets::find)
    }

    /// The scenario that it shows.
    pub fn scenario(&self) -> Option<Scenario> {
        self.preset()
            .map(Preset::scenario)
            .or_else(|| self.scenario.clone())
    }

    /// The moment at which it begins.
    pub fn begin(&self, steps: Steps<'_>) -> f64 {
        self.at.moment(steps)
    }

    /// The moment until which it plays, if it plays.
    pub fn end(&self, steps: Steps<'_>) -> Option<f64> {
        self.to.map(|mark| mark.moment(steps))
    }
}

/// Where a reader is in the story.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Tour {
    /// The story, once it has been loaded.
    pub story: Option<Rc<Story>>,
    /// The number of the chapter, from 0.
    pub chapter: usize,
    /// The answer that was chosen last.
    pub picked: Option<usize>,
    /// Whether the scene is the reader's own, given by the address.
    pub own: bool,
    /// Whether the reader has looked before predicting.
    pub looked: bool,
}

impl Tour {
    /// The chapter, once the story has been loaded.
    pub fn chapter(&self) -> Option<&Chapter> {
        self.story.as_ref()?.chapters.get(self.chapter)
    }

    /// Whether the reader has yet to predict, so that nothing may be given away.
    pub fn asks(&self) -> bool {
        self.picked.is_none() && !self.looked && !self.own
    }
}
