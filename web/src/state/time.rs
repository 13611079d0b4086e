//! Time and sight: what moves without changing the scenario.

use super::{Action, State};
use umem_core::diagram::{View, focus};

/// How long a whole film takes at most, in milliseconds at speed 1.
const LONGEST: f64 = 24_000.0;
/// How long a step of one thing takes, in milliseconds at speed 1.
const STEP: f64 = 900.0;
/// How much longer a step of ten times as many things takes.
const TENFOLD: f64 = 550.0;

impl State {
    /// Does what moves the moment or the eye.
    pub(super) fn moved(self, action: Action) -> Self {
        let last = self.scene.last();
        match action {
            Action::Toggle if self.playing => Self {
                playing: false,
                ..self
            },
            Action::Toggle => Self {
                playing: true,
                moment: if self.moment >= last {
                    0.0
                } else {
                    self.moment
                },
                chosen: None,
                until: None,
                ..self
            },
            Action::Tick(milliseconds) if self.playing => self.ticked(milliseconds),
            Action::Step => self.at(|moment| moment.floor() + 1.0),
            // In the middle of a step, back is its beginning.
            Action::Back => self.at(|moment| moment.ceil() - 1.0),
            Action::Restart => self.at(|_| 0.0),
            Action::Seek(step) => self.at(|_| step as f64),
            Action::Speed(speed) => Self { speed, ..self },
            Action::Zoom { factor, x, width } => self.zoomed(factor, x, width),
            Action::Pan { pixels, width } => self.panned(pixels, width),
            Action::Whole => Self {
                sight: None,
                ..self
            },
            Action::Choose(chosen) => Self { chosen, ..self },
            _ => self,
        }
    }

    fn at(self, moment: impl FnOnce(f64) -> f64) -> Self {
        let last = self.scene.last();
        Self {
            moment: moment(self.moment).clamp(0.0, last),
            playing: false,
            chosen: None,
            until: None,
            ..self
        }
        .following()
    }

    fn ticked(self, milliseconds: f64) -> Self {
        let end = self.scene.last();
        let last = self.until.map_or(end, |until| until.min(end));
        let mut left = milliseconds * self.speed;
        let mut moment = self.moment;
        // A frame may be longer than a step, but no film has more steps than a frame has time for.
        while left > 0.0 && moment < last {
            let rest = (moment.floor() + 1.0 - moment) * self.duration(moment as usize);
            if left < rest {
                moment += left / self.duration(moment as usize);
                break;
            }
            left -= rest;
            moment = moment.floor() + 1.0;
        }
        Self {
            moment: moment.min(last),
            playing: moment < last,
            ..self
        }
        .following()
    }

    /// How long a step takes, in milliseconds at speed 1.
    fn duration(&self, step: usize) -> f64 {
        let things = self.scene.steps.get(step).map_or(1, |step| step.run.count);
        let natural = STEP + TENFOLD * (things as f64).log10();
        natural.min((LONGEST / self.scene.last().max(1.0)).max(0.05))
    }

    /// The offset at which the lens looks.
    pub fn focus(&self) -> Option<i64> {
        let moment = self.scene.steps.moment(self.moment);
        self.chosen
            .or_else(|| focus(&self.scene.registration, &self.scene.index, &moment))
    }

    /// Keeps the playhead in sight.
    fn following(self) -> Self {
        let Some((from, span)) = self.sight else {
            return self;
        };
        let Some(at) = self.scene.steps.moment(self.moment).at() else {
            return self;
        };
        let whole = View::whole(&self.scene.registration, 1.0);
        let view = View {
            from,
            span,
            width: 1.0,
        }
        .showing(at, whole);
        Self {
            sight: Some((view.from, view.span)),
            ..self
        }
    }

    fn zoomed(self, factor: f64, x: Option<f64>, width: f64) -> Self {
        let whole = View::whole(&self.scene.registration, width);
        let view = self.view(width);
        let x = x
            .or_else(|| self.focus().map(|offset| view.x(offset as f64)))
            .unwrap_or(width / 2.0);
        self.seeing(view.zoomed(factor, x, whole), whole)
    }

    fn panned(self, pixels: f64, width: f64) -> Self {
        let whole = View::whole(&self.scene.registration, width);
        let view = self.view(width).panned(pixels, whole);
        self.seeing(view, whole)
    }

    fn seeing(self, view: View, whole: View) -> Self {
        Self {
            sight: (view.span < whole.span).then_some((view.from, view.span)),
            ..self
        }
    }
}
