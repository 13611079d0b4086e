//! Fingers on the picture, or the mouse: one drags, two pinch, and what hardly moves is a press.

/// Further than this a press is a drag, in pixels.
const DRAG: f64 = 4.0;

/// What the fingers did.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Gesture {
    /// Dragged the picture by so many pixels to the left.
    Drag(f64),
    /// Moved apart by a factor, around a place.
    Pinch {
        /// More than 1 magnifies.
        factor: f64,
        /// Where, in pixels.
        x: f64,
        /// How far the two have gone to the left meanwhile.
        drag: f64,
    },
}

#[derive(Clone, Copy, Debug)]
struct Finger {
    id: i32,
    at: (f64, f64),
}

/// The fingers that are down.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fingers {
    down: Vec<Finger>,
    start: f64,
    moved: bool,
    /// Whether they hold the overview, and not the picture.
    pub(super) scrolls: bool,
}

impl Fingers {
    /// A finger is put down: the `first` of a touch, or one more.
    pub(super) fn down(&mut self, id: i32, at: (f64, f64), first: bool) {
        // Whose end was never told is no longer there when a touch begins.
        self.down.retain(|finger| finger.id != id && !first);
        if self.down.is_empty() {
            (self.start, self.moved) = (at.0, false);
        } else {
            // A second finger makes it no press.
            self.moved = true;
        }
        self.down.push(Finger { id, at });
    }

    pub(crate) fn up(&mut self, id: i32) {
        self.down.retain(|finger| finger.id != id);
    }

    /// A finger is somewhere else now.
    pub(super) fn moved(&mut self, id: i32, at: (f64, f64)) -> Option<Gesture> {
        let before = self.pair();
        let finger = self.down.iter_mut().find(|finger| finger.id == id)?;
        let last = std::mem::replace(&mut finger.at, at);
        if let (Some(before), Some(now)) = (before, self.pair()) {
            return Some(Gesture::Pinch {
                factor: (now.1 / before.1.max(1.0)).clamp(0.25, 4.0),
                x: now.0,
                drag: before.0 - now.0,
            });
        }
        self.moved |= (at.0 - self.start).abs() > DRAG;
        self.moved.then_some(Gesture::Drag(last.0 - at.0))
    }

    /// Whether any is.
    pub(super) fn is_down(&self) -> bool {
        !self.down.is_empty()
    }

    /// Whether what has just ended was more than a press.
    pub(super) fn have_moved(&self) -> bool {
        self.moved
    }

    /// The middle of two fingers, and how far they are apart.
    fn pair(&self) -> Option<(f64, f64)> {
        let [one, other] = &self.down[..] else {
            return None;
        };
        let apart = (one.at.0 - other.at.0).hypot(one.at.1 - other.at.1);
        Some(((one.at.0 + other.at.0) / 2.0, apart))
    }
}
