//! What stands behind `<umem-split>`: a figure, its scene and its player. `web/element` makes an element of it:
//! attributes, buttons and events are the browser's, and its; what they mean is decided here.
//!
//! In a document of somebody else the element goes its own way. In the page it is led: the page says what it shows, and hears
//! of every motion that is asked of it.

use crate::{
    figure::{
        self, Fingers, Frame,
        paint::{Colours, Theme},
    },
    player::{Motion, Player, Shown},
};
use std::{cell::RefCell, fmt, rc::Rc};
use umem_core::{
    diagram::{Detail, LaneName, Lanes, Stage},
    table::Refusal,
};
use wasm_bindgen::prelude::*;
use web_sys::{KeyboardEvent, PointerEvent, WheelEvent};

#[cfg(not(feature = "page"))]
mod alone;
mod picture;

pub use picture::Picture;

/// Who decides what a figure shows.
pub(crate) struct Lead {
    /// What the figure is called.
    pub(crate) label: String,
    /// Hears of each motion that is asked of the figure.
    pub(crate) hears: Box<dyn Fn(Motion)>,
}

impl fmt::Debug for Lead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lead")
            .field("label", &self.label)
            .finish_non_exhaustive()
    }
}

/// A figure, and what people ask of it.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Widget {
    shown: Rc<RefCell<Shown>>,
    lead: Option<Lead>,
    fingers: Fingers,
    /// The box that the mouse is on.
    under: Option<(LaneName, i64)>,
    frame: Frame,
    colours: Colours,
    still: bool,
}

impl Widget {
    /// A figure that shows what `shown` holds, whenever it is drawn, and leaves it to `lead` to change that.
    #[cfg(feature = "page")]
    pub(crate) fn led(shown: Rc<RefCell<Shown>>, lead: Lead) -> Self {
        Self::of(shown, Some(lead))
    }

    fn of(shown: Rc<RefCell<Shown>>, lead: Option<Lead>) -> Self {
        Self {
            shown,
            lead,
            fingers: Fingers::default(),
            under: None,
            frame: Frame::natural(0.0),
            colours: Colours::of(Theme::Light),
            still: false,
        }
    }

    fn go(&self, motion: Motion) {
        if let Some(lead) = &self.lead {
            return (lead.hears)(motion);
        }
        let shown = &mut *self.shown.borrow_mut();
        shown.player = shown.player.moved(&shown.scene, motion);
    }

    /// What is under the pointer.
    fn found(&self, event: &PointerEvent) -> Option<Detail> {
        let shown = self.shown.borrow();
        let at = self.frame.place(event);
        figure::detail(&shown.scene, &shown.player, self.frame, at).filter(|_| !shown.veiled)
    }
}

/// The name of the moment after the last step.
const END: &str = "end";

fn lower(stage: Stage) -> String {
    stage.title().to_ascii_lowercase()
}

#[wasm_bindgen]
impl Widget {
    /// Which lanes are seen: names with spaces between, as in the attribute.
    ///
    /// # Errors
    /// A word that is no lane's name.
    pub fn lanes(&self, names: &str) -> Result<(), JsError> {
        let lanes: Lanes = names
            .parse()
            .map_err(|error| JsError::new(&format!("\"{names}\" {error}")))?;
        self.shown.borrow_mut().player.lanes = lanes;
        Ok(())
    }

    /// The colours: "light", "dark", or else the reader's own.
    pub fn theme(&mut self, name: &str) {
        self.colours = Colours::of(match name {
            "light" => Theme::Light,
            "dark" => Theme::Dark,
            _ => Theme::Forced,
        });
    }

    /// Another colour for "ground", "ink", "soft", "grid", "card", "ribbon", "accent", or "size-0" to "size-5": `0xrrggbb`.
    pub fn colour(&mut self, name: &str, colour: u32) {
        let Some(palette) = self.colours.palette() else {
            return;
        };
        let place = match name {
            "ground" => &mut palette.ground,
            "ink" => &mut palette.ink,
            "soft" => &mut palette.soft,
            "grid" => &mut palette.grid,
            "card" => &mut palette.card,
            "ribbon" => &mut palette.ribbon,
            "accent" => &mut palette.accent,
            _ => {
                let stop = name.strip_prefix("size-").and_then(|n| n.parse().ok());
                let Some(size) = stop.and_then(|n: usize| palette.sizes.get_mut(n)) else {
                    return;
                };
                size
            }
        };
        *place = colour;
    }

    /// Steps without what is between them, for who wants less motion.
    pub fn still(&mut self, still: bool) {
        self.still = still;
    }

    /// How many steps a second; as long as each needs to be seen, if not a positive number.
    pub fn pace(&self, steps: f64) {
        self.shown.borrow_mut().player.pace = (steps > 0.0 && steps.is_finite()).then_some(steps);
    }

    /// The picture as it is now, `width` pixels of the page wide and, unless 0, `height` high.
    pub fn picture(&mut self, width: f64, height: f64) -> Picture {
        let shown = self.shown.borrow();
        let player = Player {
            pointed: self.under.or(shown.player.pointed),
            ..shown.player.eased(self.still)
        };
        let (frame, drawing) = picture::readable(&shown, player, (width, height));
        self.frame = frame;
        Picture {
            drawing,
            scale: frame.scale,
            colours: self.colours.clone(),
        }
    }

    /// Plays, from the beginning if it is at the end; or pauses.
    pub fn toggle(&self) {
        self.go(Motion::Toggle);
    }

    /// So many milliseconds have passed.
    pub fn tick(&self, milliseconds: f64) {
        self.go(Motion::Tick(milliseconds));
    }

    /// To a step, from 0 to [`Self::steps`].
    pub fn seek(&self, step: f64) {
        self.go(Motion::Seek(step as usize));
    }

    /// On to the next step.
    pub fn step(&self) {
        self.go(Motion::Step);
    }

    /// Back to the step before.
    pub fn back(&self) {
        self.go(Motion::Back);
    }

    /// All of it is seen again.
    pub fn whole(&self) {
        self.go(Motion::Whole);
    }

    /// Does what a key means; whether it means something.
    pub fn key(&self, event: &KeyboardEvent) -> bool {
        let motion = figure::key(event, self.frame.width);
        motion.map(|motion| self.go(motion)).is_some()
    }

    /// Does what the wheel means; whether it means something.
    pub fn wheel(&self, event: &WheelEvent) -> bool {
        let motion = figure::wheel(event, self.frame);
        motion.map(|motion| self.go(motion)).is_some()
    }

    /// A finger is put down.
    pub fn press(&mut self, event: &PointerEvent) {
        let player = self.shown.borrow().player;
        self.fingers.press(event, self.frame, &player);
    }

    /// A finger moves, or the mouse; whether that changes the picture.
    pub fn drag(&mut self, event: &PointerEvent) -> bool {
        let mut moves = false;
        for motion in self.fingers.motions(event, self.frame) {
            self.go(motion);
            moves = true;
        }
        moves
    }

    /// A finger is lifted: if it was a tap, the lens goes where it was.
    pub fn lift(&mut self, event: &PointerEvent) {
        if self.fingers.tapped(event) {
            let offset = self.found(event).map(|detail| detail.offset);
            self.go(Motion::Choose(offset));
        }
    }

    /// A finger is gone.
    pub fn cancel(&mut self, event: &PointerEvent) {
        self.fingers.up(event.pointer_id());
    }

    /// The mouse is somewhere: what is there, in words, until it leaves.
    pub fn hover(&mut self, event: &PointerEvent) -> Option<String> {
        let found = self.found(event);
        self.under = found.as_ref().map(|detail| (detail.lane, detail.offset));
        let shown = self.shown.borrow();
        let name = || {
            let at = self.frame.place(event);
            figure::named(&shown.scene, &shown.player, self.frame, at)
        };
        found.map(|detail| detail.text).or_else(name)
    }

    /// The mouse is gone, or another way of pointing takes its place.
    pub fn leave(&mut self) {
        self.under = None;
    }

    /// What is told of the box that keys point at, or of the entry that somebody chose; if there is none, how to get to one.
    pub fn reading(&self) -> String {
        let shown = self.shown.borrow();
        let told = figure::told(&shown.scene, &shown.player).filter(|_| !shown.veiled);
        told.map_or(figure::HINT.into(), |told| told.text)
    }

    /// What the picture is called.
    pub fn label(&self) -> String {
        match &self.lead {
            Some(lead) => picture::named(&lead.label, &self.shown.borrow(), self.frame),
            None => format!(
                "How the region becomes page-table entries. {}",
                self.status()
            ),
        }
    }

    /// The picture's keys, in a sentence.
    pub fn keys(&self) -> String {
        let keys = figure::KEYS.map(|(key, what)| format!("{key}: {what}"));
        keys.join("; ")
    }

    /// Whether only a part is seen.
    pub fn zoomed(&self) -> bool {
        self.shown.borrow().player.sight.is_some()
    }

    /// "257 entries: 255 × 4K + 1 × 1M + 1 × 2M", or why there are none.
    pub fn status(&self) -> String {
        self.shown.borrow().scene.registration().status()
    }

    /// How many steps there are.
    pub fn steps(&self) -> f64 {
        self.shown.borrow().scene.last()
    }

    /// The step under way.
    pub fn at(&self) -> f64 {
        self.shown.borrow().player.moment.floor()
    }

    /// Whether time passes.
    pub fn playing(&self) -> bool {
        self.shown.borrow().player.playing
    }

    /// The stage of the step under way: "Pin", "Gather", "Map", "Cut"; nothing at the end.
    pub fn stage(&self) -> Option<String> {
        let shown = self.shown.borrow();
        let step = shown.scene.steps().get(shown.player.moment as usize)?;
        Some(step.stage.title().into())
    }

    /// What the step under way does, in words.
    pub fn told(&self) -> String {
        let shown = self.shown.borrow();
        match shown.scene.steps().get(shown.player.moment as usize) {
            Some(step) => step.text(),
            None => {
                let refusal = shown.scene.registration().table().err();
                refusal
                    .and_then(Refusal::stopped_at)
                    .unwrap_or_else(|| "finished".into())
            }
        }
    }

    /// The name of the step under way: its stage and where in the region that works, "cut:1048576"; "end" when everything is done.
    pub fn name(&self) -> String {
        let shown = self.shown.borrow();
        match shown.scene.steps().get(shown.player.moment as usize) {
            Some(step) => format!("{}:{}", lower(step.stage), step.run.offset),
            None => END.into(),
        }
    }

    /// How far it has come: pinned pages, SG entries, DMA segments, entries of the table; and how many of those there will be.
    pub fn counts(&self) -> Vec<f64> {
        let shown = self.shown.borrow();
        let Shown { scene, player, .. } = &*shown;
        let moment = scene.steps().moment(player.moment.floor());
        let front = |stage| moment.fronts.of(stage) as i64;
        let (from, _) = scene.registration().pinned();
        let page = scene.registration().question().mr().page;
        let pinned = (front(Stage::Pin) - from as i64).max(0) as u64 >> page.log2();
        let index = &scene.index;
        let total = scene.registration().table().map_or(0, |table| table.total);
        [
            pinned,
            index.scatter().before(front(Stage::Gather)),
            index.dma().before(front(Stage::Map)),
            index.entries().before(front(Stage::Cut)),
            total,
        ]
        .map(|count| count as f64)
        .into()
    }
}
