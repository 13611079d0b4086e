//! What stands behind `<umem-split>`: a figure on a canvas, its scene and its player. `static/umem-split.js` makes an element
//! of it: attributes, buttons and events are the browser's, and its; what they mean is told here.

use crate::{
    figure::{
        self, Fingers, Frame,
        paint::{self, Colours, Theme},
    },
    player::{Motion, Player},
    scene::Scene,
};
use std::rc::Rc;
use umem_core::{
    diagram::{Lanes, Stage},
    scenario::{Scenario, ScenarioError, presets},
};
use wasm_bindgen::prelude::*;
use web_sys::{HtmlCanvasElement, KeyboardEvent, PointerEvent, WheelEvent};

/// A figure on a canvas.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Widget {
    canvas: HtmlCanvasElement,
    scene: Rc<Scene>,
    player: Player,
    fingers: Fingers,
    frame: Frame,
    colours: Colours,
    still: bool,
}

#[wasm_bindgen]
impl Widget {
    /// The mail's example on `canvas`, finished.
    #[wasm_bindgen(constructor)]
    pub fn new(canvas: HtmlCanvasElement) -> Self {
        let mail = Rc::new(presets::PRESETS[0].scenario());
        let scene = Scene::new(&mail).expect("presets are right, as their tests show");
        Self {
            canvas,
            player: Player::finished(&scene),
            scene: Rc::new(scene),
            fingers: Fingers::default(),
            frame: Frame::natural(0.0),
            colours: Colours::of(Theme::Light),
            still: false,
        }
    }

    /// Shows a preset, finished.
    ///
    /// # Errors
    /// That there is no preset of this name, and which there are.
    pub fn preset(&mut self, name: &str) -> Result<(), JsError> {
        let preset = presets::find(name).ok_or_else(|| {
            let names: Vec<_> = presets::PRESETS.iter().map(|preset| preset.name).collect();
            JsError::new(&format!(
                "there is no preset \"{name}\": there are {}",
                names.join(", ")
            ))
        })?;
        Ok(self.show(preset.scenario())?)
    }

    /// Shows a scenario, finished: JSON of the scenario format.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn scenario(&mut self, json: &[u8]) -> Result<(), JsError> {
        Ok(self.show(Scenario::from_json(json)?)?)
    }

    fn show(&mut self, scenario: Scenario) -> Result<(), ScenarioError> {
        self.scene = Rc::new(Scene::new(&Rc::new(scenario))?);
        let finished = Player::finished(&self.scene);
        self.player = Player {
            speed: self.player.speed,
            pace: self.player.pace,
            lanes: self.player.lanes,
            ..finished
        };
        Ok(())
    }

    /// Which lanes are seen: names with spaces between, as in the attribute.
    ///
    /// # Errors
    /// A word that is no lane's name.
    pub fn lanes(&mut self, names: &str) -> Result<(), JsError> {
        let lanes: Lanes = names
            .parse()
            .map_err(|error| JsError::new(&format!("\"{names}\" {error}")))?;
        self.player.lanes = lanes;
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
    pub fn pace(&mut self, steps: f64) {
        self.player.pace = (steps > 0.0 && steps.is_finite()).then_some(steps);
    }

    /// Draws, `width` pixels of the page wide and, unless 0, `height` high, with so many dots a pixel. Returns the height.
    pub fn draw(&mut self, width: f64, height: f64, ratio: f64) -> f64 {
        let player = self.player.eased(self.still);
        let mut frame = Frame::natural(width);
        let mut drawing = player.draw(&self.scene, frame.width, false);
        // A picture's height hangs on the width only where names move above their lanes: two tries find the scale.
        for _ in 0..2 {
            if height > 0.0 && (drawing.height * frame.scale - height).abs() > 0.5 {
                frame.scale = height / drawing.height;
                frame.width = width / frame.scale;
                drawing = player.draw(&self.scene, frame.width, false);
            }
        }
        self.frame = frame;
        paint::paint(&self.canvas, &drawing, &self.colours, ratio * frame.scale);
        drawing.height * frame.scale
    }

    fn go(&mut self, motion: Motion) {
        self.player = self.player.moved(&self.scene, motion);
    }

    /// Plays, from the beginning if it is at the end; or pauses.
    pub fn toggle(&mut self) {
        self.go(Motion::Toggle);
    }

    /// So many milliseconds have passed.
    pub fn tick(&mut self, milliseconds: f64) {
        self.go(Motion::Tick(milliseconds));
    }

    /// To a step, from 0 to [`Self::steps`].
    pub fn seek(&mut self, step: f64) {
        self.go(Motion::Seek(step as usize));
    }

    /// On to the next step.
    pub fn step(&mut self) {
        self.go(Motion::Step);
    }

    /// Back to the step before.
    pub fn back(&mut self) {
        self.go(Motion::Back);
    }

    /// Does what a key means; whether it means something.
    pub fn key(&mut self, event: &KeyboardEvent) -> bool {
        let motion = figure::key(event, self.frame.width);
        motion.map(|motion| self.go(motion)).is_some()
    }

    /// Does what the wheel means; whether it means something.
    pub fn wheel(&mut self, event: &WheelEvent) -> bool {
        let motion = figure::wheel(event, self.frame);
        motion.map(|motion| self.go(motion)).is_some()
    }

    /// A finger is put down.
    pub fn press(&mut self, event: &PointerEvent) {
        self.fingers.press(event, self.frame, &self.player);
    }

    /// A finger moves, or the mouse; whether that changes the picture.
    pub fn drag(&mut self, event: &PointerEvent) -> bool {
        let before = self.player;
        let motions = self.fingers.motions(event, self.frame);
        motions.for_each(|motion| self.go(motion));
        self.player != before
    }

    /// A finger is lifted: if it was a tap, the lens goes where it was.
    pub fn lift(&mut self, event: &PointerEvent) {
        if self.fingers.tapped(event) {
            let (scene, at) = (&self.scene, self.frame.place(event));
            let detail = figure::detail(scene, &self.player, self.frame.width, at);
            self.go(Motion::Choose(detail.map(|detail| detail.offset)));
        }
    }

    /// A finger is gone.
    pub fn cancel(&mut self, event: &PointerEvent) {
        self.fingers.up(event.pointer_id());
    }

    /// What is under the pointer, in words.
    pub fn under(&self, event: &PointerEvent) -> Option<String> {
        let at = self.frame.place(event);
        let detail = figure::detail(&self.scene, &self.player, self.frame.width, at)?;
        Some(detail.text)
    }

    /// What is told of the box that keys point at, or of the entry that somebody chose.
    pub fn reading(&self) -> Option<String> {
        Some(figure::told(&self.scene, &self.player)?.text)
    }

    /// "257 entries: 255 × 4K + 1 × 1M + 1 × 2M", or why there are none.
    pub fn status(&self) -> String {
        self.scene.registration.status()
    }

    /// How many steps there are.
    pub fn steps(&self) -> f64 {
        self.scene.last()
    }

    /// The step under way.
    pub fn at(&self) -> f64 {
        self.player.moment.floor()
    }

    /// Whether time passes.
    pub fn playing(&self) -> bool {
        self.player.playing
    }

    /// The stage of the step under way: "Pin", "Gather", "Map", "Cut"; nothing at the end.
    pub fn stage(&self) -> Option<String> {
        let step = self.scene.steps.get(self.player.moment as usize)?;
        Some(step.stage.title().into())
    }

    /// What the step under way does, in words.
    pub fn told(&self) -> String {
        match self.scene.steps.get(self.player.moment as usize) {
            Some(step) => step.text(),
            None => "all is done".into(),
        }
    }

    /// The step with which a stage begins, its name in small letters.
    pub fn begins(&self, stage: &str) -> Option<f64> {
        let named = |known: &Stage| known.title().eq_ignore_ascii_case(stage);
        let stage = Stage::ALL.into_iter().find(named)?;
        Some(self.scene.steps.first_of(stage) as f64)
    }

    /// The scenario, as JSON.
    pub fn asked(&self) -> String {
        self.scene.scenario.to_json()
    }
}
