//! The figure: what a canvas shows of a scene, and what keys, wheels and fingers on it mean.

use crate::{
    player::{Motion, Player, Way},
    scene::Scene,
};
use umem_core::diagram::{self, Detail, LaneName, OVERVIEW, View};
use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent, PointerEvent, WheelEvent};

mod gesture;
pub(crate) mod paint;

pub(crate) use gesture::Fingers;
use gesture::Gesture;

/// What stands under a figure while nothing is pointed at.
pub(crate) const HINT: &str = "Point at a box or a lane's name to read what it is; click or tap an entry to put the lens on it. ? lists the keys.";

/// The keys of a figure, and what they do.
pub(crate) const KEYS: [(&str, &str); 8] = [
    ("Space", "play or pause"),
    ("← →", "a step back or on"),
    ("Home", "restart"),
    ("↑ ↓", "point at a lane, and read its box"),
    ("Shift ← →", "the box before or after it"),
    ("Enter", "put the lens on it; Esc lets go"),
    ("+ −", "zoom in or out, around the lens"),
    ("0", "show all"),
];

/// How much a press of + magnifies.
const ZOOM: f64 = 2.0;

/// How a figure is laid out, and how large it is seen.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Frame {
    /// The width in which it is laid out, in its own pixels.
    pub(crate) width: f64,
    /// How many of the page's pixels one of its own takes.
    pub(crate) scale: f64,
    /// Whether its lanes stand close together, without a lens.
    pub(crate) compact: bool,
}

impl Frame {
    /// A figure as large as it is laid out.
    pub(crate) const fn natural(width: f64) -> Self {
        Self {
            width,
            scale: 1.0,
            compact: false,
        }
    }

    /// What of `scene` it shows.
    fn view(self, scene: &Scene, player: &Player) -> View {
        View {
            compact: self.compact,
            ..player.view(scene, self.width)
        }
    }

    /// Where on the figure a pointer is, in its own pixels.
    pub(crate) fn place(self, event: &PointerEvent) -> (f64, f64) {
        let (x, y) = (f64::from(event.offset_x()), f64::from(event.offset_y()));
        (x / self.scale, y / self.scale)
    }
}

/// What is at a place of a figure that is laid out so.
pub(crate) fn detail(
    scene: &Scene,
    player: &Player,
    frame: Frame,
    at: (f64, f64),
) -> Option<Detail> {
    let view = frame.view(scene, player);
    diagram::detail(&scene.index, view, at, player.focus(scene))
}

/// What is told of the name at a place of a figure that is laid out so.
pub(crate) fn named(
    scene: &Scene,
    player: &Player,
    frame: Frame,
    at: (f64, f64),
) -> Option<String> {
    let kind = scene.registration().question().kind();
    diagram::named(frame.view(scene, player), kind, at).map(Into::into)
}

/// What is told of the box that keys point at, or else of the entry that somebody chose: those who cannot point read it, too.
pub(crate) fn told(scene: &Scene, player: &Player) -> Option<Detail> {
    let chosen = player.chosen.map(|offset| (LaneName::Entries, offset));
    let (lane, offset) = player.pointed.or(chosen)?;
    diagram::detail_at(&scene.index, lane, offset)
}

impl Fingers {
    /// A finger is put down: a drag goes on beyond the figure's edge, where the browser lets it.
    ///
    /// On the overview of a figure that does not show all it takes hold of that.
    pub(crate) fn press(&mut self, event: &PointerEvent, frame: Frame, player: &Player) {
        let at = frame.place(event);
        self.down(event.pointer_id(), at, event.is_primary());
        self.scrolls = player.sight.is_some() && at.1 < OVERVIEW;
        if let Some(canvas) = event
            .target()
            .and_then(|target| target.dyn_into::<Element>().ok())
        {
            let _ = canvas.set_pointer_capture(event.pointer_id());
        }
    }

    /// A finger is lifted: whether it was a tap.
    pub(crate) fn tapped(&mut self, event: &PointerEvent) -> bool {
        self.up(event.pointer_id());
        !self.have_moved() && event.button() == 0
    }

    /// What a finger's way to another place does to the figure.
    pub(crate) fn motions(
        &mut self,
        event: &PointerEvent,
        frame: Frame,
    ) -> impl Iterator<Item = Motion> + use<> {
        let width = frame.width;
        if self.scrolls && self.is_down() {
            let (x, _) = frame.place(event);
            let _ = self.moved(event.pointer_id(), frame.place(event));
            return [Some(Motion::Scroll { x, width }), None]
                .into_iter()
                .flatten();
        }
        let pan = |pixels| Motion::Pan { pixels, width };
        let motions = match self.moved(event.pointer_id(), frame.place(event)) {
            Some(Gesture::Drag(pixels)) => [Some(pan(pixels)), None],
            Some(Gesture::Pinch { factor, x, drag }) => {
                let x = Some(x);
                [Some(Motion::Zoom { factor, x, width }), Some(pan(drag))]
            }
            None => [None, None],
        };
        motions.into_iter().flatten()
    }
}

/// The wheel zooms with Ctrl (which is also what a pinch sends) and pans sideways; alone it scrolls the page as everywhere.
pub(crate) fn wheel(event: &WheelEvent, Frame { width, scale, .. }: Frame) -> Option<Motion> {
    let sideways = match event.shift_key() {
        true => event.delta_y() + event.delta_x(),
        false => event.delta_x(),
    };
    let motion = if event.ctrl_key() || event.meta_key() {
        Motion::Zoom {
            // A pinch comes in many small pieces, a notch of a wheel as one large one.
            factor: js_sys::Math::exp(-event.delta_y() * 0.01).clamp(0.7, 1.4),
            x: Some(f64::from(event.offset_x()) / scale),
            width,
        }
    } else if sideways.abs() > event.delta_y().abs() || event.shift_key() {
        Motion::Pan {
            pixels: sideways / scale,
            width,
        }
    } else {
        return None;
    };
    event.prevent_default();
    Some(motion)
}

/// What a key does to a figure laid out in this width.
pub(crate) fn key(event: &KeyboardEvent, width: f64) -> Option<Motion> {
    if event.ctrl_key() || event.meta_key() || event.alt_key() {
        return None;
    }
    let zoom = |factor| Motion::Zoom {
        factor,
        x: None,
        width,
    };
    let motion = match event.key().as_str() {
        " " => Motion::Toggle,
        "ArrowUp" => Motion::Point(Way::Up),
        "ArrowDown" => Motion::Point(Way::Down),
        "ArrowLeft" if event.shift_key() => Motion::Point(Way::Before),
        "ArrowRight" if event.shift_key() => Motion::Point(Way::After),
        "Enter" => Motion::Lens,
        "Escape" => Motion::LetGo,
        "ArrowRight" => Motion::Step,
        "ArrowLeft" => Motion::Back,
        "Home" => Motion::Restart,
        "+" | "=" => zoom(ZOOM),
        "-" | "_" | "−" => zoom(1.0 / ZOOM),
        "0" => Motion::Whole,
        _ => return None,
    };
    event.prevent_default();
    Some(motion)
}
