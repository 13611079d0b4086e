//! Where in time and space a scene is looked at, and all that moves it: the same in the page and in the element.

use crate::scene::Scene;
use std::rc::Rc;
use umem_core::diagram::{self, Attention, Drawing, LaneName, Lanes, View};

/// A pause of the browser longer than this is not time that the reader saw pass, in milliseconds.
const BLINK: f64 = 100.0;
/// How long a whole film takes at most, in milliseconds at speed 1.
const LONGEST: f64 = 24_000.0;
/// How long a step of one thing takes, in milliseconds at speed 1.
const STEP: f64 = 900.0;
/// How much longer a step of ten times as many things takes.
const TENFOLD: f64 = 550.0;

/// What moves time or the eye, and changes no scenario.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Motion {
    /// Play, or pause.
    Toggle,
    /// So many milliseconds have passed while playing.
    Tick(f64),
    /// On to the next step.
    Step,
    /// Back to the step before.
    Back,
    /// Back to the beginning.
    Restart,
    /// To a step.
    Seek(usize),
    /// How many times as fast.
    Speed(f64),
    /// Zoom by a factor around a place of the picture, which is so wide.
    Zoom {
        /// More than 1 magnifies.
        factor: f64,
        /// The place, in pixels; the lens's if `None`.
        x: Option<f64>,
        /// The picture's width in pixels.
        width: f64,
    },
    /// Move the picture by so many of its pixels to the right.
    Pan {
        /// How far.
        pixels: f64,
        /// The picture's width in pixels.
        width: f64,
    },
    /// See the part in the middle of which a place of the overview is, in a picture which is so wide.
    Scroll {
        /// The place, in pixels.
        x: f64,
        /// The picture's width in pixels.
        width: f64,
    },
    /// See the IOMMU's own entries as a lane, or no longer.
    Iommu,
    /// See all of it.
    Whole,
    /// Put the lens on the entry at this offset; back on the playhead if `None`.
    Choose(Option<i64>),
    /// Point, without a pointer, at another lane or another box of it.
    Point(Way),
    /// Put the lens on what is pointed at; back on the playhead if nothing is.
    Lens,
    /// Point at nothing.
    LetGo,
}

/// From the box that is pointed at to the next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// To the lane above.
    Up,
    /// To the lane below.
    Down,
    /// To the box before it in its lane.
    Before,
    /// To the box after it in its lane.
    After,
}

/// Where in time and space a scene is looked at.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Player {
    /// The moment: a step, and a part of the next.
    pub moment: f64,
    /// Whether time passes.
    pub playing: bool,
    /// How many times as fast.
    pub speed: f64,
    /// How many steps a second at that speed; the more there is to see in a step, the longer it takes, if `None`.
    pub pace: Option<f64>,
    /// Where it stops passing, if before the end.
    pub until: Option<f64>,
    /// The offset of the entry that somebody pointed at.
    pub chosen: Option<i64>,
    /// The box that somebody points at without a pointer: of this lane, the one that holds this offset.
    pub pointed: Option<(LaneName, i64)>,
    /// What of the region is seen, from which offset and how many bytes; all of it if `None`.
    pub sight: Option<(f64, f64)>,
    /// The lanes that are seen.
    pub lanes: Lanes,
    /// Whether they stand close together, without a lens.
    pub compact: bool,
}

/// What a picture shows.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Shown {
    /// Of what.
    pub(crate) scene: Rc<Scene>,
    /// Which moment of it, and which part.
    pub(crate) player: Player,
    /// Whether what is yet to come stays hidden.
    pub(crate) veiled: bool,
    /// The lanes in which it differs from the picture beside it, if there is one.
    pub(crate) differing: Option<Lanes>,
}

impl Shown {
    /// A scene, finished and seen whole.
    pub(crate) fn of(scene: Rc<Scene>) -> Self {
        Self {
            player: Player::finished(&scene),
            scene,
            veiled: false,
            differing: None,
        }
    }

    /// The picture, in a width.
    pub(crate) fn draw(&self, player: &Player, width: f64) -> Drawing {
        let attention = Attention {
            chosen: player.chosen,
            pointed: player.pointed,
            veiled: self.veiled,
            differing: self.differing,
        };
        let view = player.view(&self.scene, width);
        diagram::draw(&self.scene.index, view, player.moment, attention)
    }
}

impl Player {
    /// At the end of `scene`, seen whole.
    pub fn finished(scene: &Scene) -> Self {
        Self {
            moment: scene.last(),
            playing: false,
            speed: 1.0,
            pace: None,
            until: None,
            chosen: None,
            pointed: None,
            sight: None,
            lanes: Lanes::USUAL,
            compact: false,
        }
    }

    /// The same at the speed and with the lanes of another.
    #[must_use]
    pub fn like(self, other: Self) -> Self {
        Self {
            speed: other.speed,
            lanes: other.lanes,
            ..self
        }
    }

    /// The lanes that are seen of `scene`: of the IOMMU's only where there is one.
    fn lanes(self, scene: &Scene) -> Lanes {
        match scene.has_iommu() || !self.lanes.contains(LaneName::Iommu) {
            true => self.lanes,
            false => self.lanes.toggled(LaneName::Iommu).unwrap_or_default(),
        }
    }

    /// What of `scene` a picture of this width shows.
    pub fn view(&self, scene: &Scene, width: f64) -> View {
        let whole = self.whole(scene, width);
        match self.sight {
            Some((from, span)) => View {
                from,
                span,
                ..whole
            },
            None => whole,
        }
    }

    /// All of `scene`, in a picture of this width.
    fn whole(&self, scene: &Scene, width: f64) -> View {
        View {
            lanes: self.lanes(scene),
            compact: self.compact,
            ..View::whole(scene.registration(), width)
        }
    }

    /// The offset at which the lens looks.
    pub fn focus(&self, scene: &Scene) -> Option<i64> {
        let moment = scene.steps().moment(self.moment);
        self.chosen
            .or_else(|| diagram::focus(&scene.index, &moment))
    }

    /// The moment as it is drawn: each step gently begun and ended, or where things should stand `still` step after step,
    /// without what is between.
    #[must_use]
    pub fn eased(self, still: bool) -> Self {
        let part = self.moment.fract();
        let gentle = match still {
            true => 0.0,
            false => part * part * (3.0 - 2.0 * part),
        };
        Self {
            moment: self.moment.floor() + gentle,
            ..self
        }
    }

    /// After a motion.
    #[must_use]
    pub fn moved(self, scene: &Scene, motion: Motion) -> Self {
        let last = scene.last();
        match motion {
            Motion::Toggle if self.playing => Self {
                playing: false,
                ..self
            },
            // Of a region that is refused before it is pinned there is nothing to play.
            Motion::Toggle if last == 0.0 => self,
            Motion::Toggle => Self {
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
            Motion::Tick(milliseconds) if self.playing => self.ticked(scene, milliseconds),
            Motion::Tick(_) => self,
            Motion::Step => self.at(scene, self.moment.floor() + 1.0),
            // In the middle of a step, back is its beginning.
            Motion::Back => self.at(scene, self.moment.ceil() - 1.0),
            Motion::Restart => self.at(scene, 0.0),
            Motion::Seek(step) => self.at(scene, step as f64),
            Motion::Speed(speed) => Self { speed, ..self },
            Motion::Zoom { factor, x, width } => self.zoomed(scene, factor, x, width),
            Motion::Pan { pixels, width } => self.panned(scene, pixels, width),
            Motion::Scroll { x, width } => {
                let whole = self.whole(scene, width);
                self.seeing(self.view(scene, width).centred(x, whole), whole)
            }
            Motion::Point(way) => self.pointing(scene, way),
            Motion::Lens => Self {
                chosen: self.pointed.map(|(_, offset)| offset),
                ..self
            },
            Motion::LetGo => Self {
                pointed: None,
                chosen: None,
                ..self
            },
            Motion::Iommu => Self {
                lanes: self.lanes.toggled(LaneName::Iommu).unwrap_or_default(),
                pointed: None,
                ..self
            },
            Motion::Whole => Self {
                sight: None,
                ..self
            },
            Motion::Choose(chosen) => Self { chosen, ..self },
        }
    }

    fn at(self, scene: &Scene, moment: f64) -> Self {
        Self {
            moment: moment.min(scene.last()).max(0.0),
            playing: false,
            chosen: None,
            pointed: None,
            until: None,
            ..self
        }
        .following(scene)
    }

    fn ticked(self, scene: &Scene, milliseconds: f64) -> Self {
        let end = scene.last();
        let last = self.until.map_or(end, |until| until.min(end));
        let mut left = milliseconds.clamp(0.0, BLINK) * self.speed;
        let mut moment = self.moment;
        // A frame may be longer than a step, but no film has more steps than a frame has time for.
        while left > 0.0 && moment < last {
            let duration = match self.pace {
                Some(pace) => 1000.0 / pace,
                None => duration(scene, moment as usize),
            };
            let rest = (moment.floor() + 1.0 - moment) * duration;
            if left < rest {
                moment += left / duration;
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
        .following(scene)
    }

    /// Keeps the playhead in sight.
    fn following(self, scene: &Scene) -> Self {
        match scene.steps().moment(self.moment).at() {
            Some(at) => self.showing(scene, at),
            None => self,
        }
    }

    /// Keeps an offset in sight.
    fn showing(self, scene: &Scene, at: f64) -> Self {
        let Some((from, span)) = self.sight else {
            return self;
        };
        let whole = self.whole(scene, 1.0);
        let view = View {
            from,
            span,
            ..whole
        }
        .showing(at, whole);
        Self {
            sight: Some((view.from, view.span)),
            ..self
        }
    }

    /// Points at the box that lies that way, and first of all at the entry under the lens.
    fn pointing(self, scene: &Scene, way: Way) -> Self {
        let lanes = self.lanes(scene);
        let first = || (lanes.iter().next_back(), self.focus(scene).unwrap_or(0));
        let (lane, offset) = match self.pointed {
            None => match first() {
                (Some(lane), offset) => (lane, offset),
                (None, _) => return self,
            },
            Some((lane, offset)) => match way {
                Way::Before | Way::After => {
                    let after = way == Way::After;
                    let next = diagram::beside(&scene.index, lane, offset, after);
                    (lane, next.unwrap_or(offset))
                }
                Way::Up => {
                    let above = |other: &LaneName| (*other as u8) < lane as u8;
                    (lanes.iter().rfind(above).unwrap_or(lane), offset)
                }
                Way::Down => {
                    let below = |other: &LaneName| *other as u8 > lane as u8;
                    (lanes.iter().find(below).unwrap_or(lane), offset)
                }
            },
        };
        let pointed = Some((lane, offset));
        Self { pointed, ..self }.showing(scene, offset as f64)
    }

    fn zoomed(self, scene: &Scene, factor: f64, x: Option<f64>, width: f64) -> Self {
        let whole = self.whole(scene, width);
        let view = self.view(scene, width);
        let x = x
            .or_else(|| self.focus(scene).map(|offset| view.x(offset as f64)))
            .unwrap_or(width / 2.0);
        self.seeing(view.zoomed(factor, x, whole), whole)
    }

    fn panned(self, scene: &Scene, pixels: f64, width: f64) -> Self {
        let whole = self.whole(scene, width);
        self.seeing(self.view(scene, width).panned(pixels, whole), whole)
    }

    fn seeing(self, view: View, whole: View) -> Self {
        Self {
            sight: (view.span < whole.span).then_some((view.from, view.span)),
            ..self
        }
    }
}

/// How long a step takes, in milliseconds at speed 1.
fn duration(scene: &Scene, step: usize) -> f64 {
    let things = scene.steps().get(step).map_or(1, |step| step.run.count);
    let natural = STEP + TENFOLD * (things as f64).log10();
    natural.min((LONGEST / scene.last().max(1.0)).max(0.05))
}
