//! A picture that plays by itself: SVG with an animation in CSS and no script, for READMEs, slides and docs.
//!
//! The animation's frames have most of their commands in common. So each command is written once, and shown in the frames that have
//! it. Where nothing moves (`prefers-reduced-motion`, or a program that knows no CSS), the last frame stands there.

use super::{Attention, Command, Drawing, Steps, View, draw, palette::Palette, svg};
use crate::registration::Index;
use alloc::{string::String, vec, vec::Vec};
use core::fmt::Write;

/// The most frames: a bit each.
const MOST: usize = 64;
/// The fewest that a step is shown in, where steps are few.
const SMOOTH: usize = 4;
/// How long a frame stands, in seconds.
const FRAME: f64 = 0.25;
/// How long the last one does.
const REST: f64 = 4.0;

/// Draws a registration step by step, as one SVG document that repeats endlessly. `arrange` may put something around
/// each picture.
///
/// Its length does not depend on the region's: of many steps, some are shown.
pub fn film(
    index: &Index,
    view: View,
    palette: &Palette,
    title: &str,
    arrange: impl Fn(Drawing) -> Drawing,
) -> String {
    let moments = moments(Steps::new(index).count());
    let frames = moments
        .into_iter()
        .map(|moment| arrange(draw(index, view, moment, Attention::default())));
    let film = Film::of(frames);
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = film.write(&mut text, palette, title);
    text
}

/// Which moments are shown of so many steps, ascending: the first is the beginning, the last the end.
fn moments(steps: usize) -> Vec<f64> {
    let frames = (steps * SMOOTH).clamp(1, MOST - 1);
    let moment = |frame: usize| steps as f64 * frame as f64 / frames as f64;
    (0..=frames).map(moment).collect()
}

/// The commands of all frames, each in an order that holds for every frame.
struct Film {
    commands: Vec<(Command, Frames)>,
    frames: usize,
    size: (f64, f64),
}

/// A set of frames.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Frames(u64);

impl Frames {
    fn has(self, frame: usize) -> bool {
        self.0 >> frame & 1 == 1
    }

    fn add(&mut self, frame: usize) {
        self.0 |= 1 << frame;
    }
}

impl Film {
    fn of(drawings: impl Iterator<Item = Drawing>) -> Self {
        let mut film = Self {
            commands: Vec::new(),
            frames: 0,
            size: (0.0, 0.0),
        };
        for drawing in drawings.take(MOST) {
            film.size = (
                film.size.0.max(drawing.width),
                film.size.1.max(drawing.height),
            );
            film.add(drawing);
        }
        film
    }

    /// Keeps as many of the commands that are there as it can, in their order, and puts the others where they belong between them.
    fn add(&mut self, drawing: Drawing) {
        let longest = Longest::of(&self.commands, &drawing.commands);
        let mut known = core::mem::take(&mut self.commands).into_iter();
        let mut at = 0;
        for (i, command) in drawing.commands.into_iter().enumerate() {
            let kept = (longest.takes(at, i)).then(|| longest.next(at, i));
            if let Some(next) = kept {
                self.commands.extend(known.by_ref().take(next - at));
                at = next + 1;
                self.commands.extend(known.next());
            } else {
                self.commands.push((command, Frames::default()));
            }
            if let Some((_, frames)) = self.commands.last_mut() {
                frames.add(self.frames);
            }
        }
        self.commands.extend(known);
        self.frames += 1;
    }

    fn write(&self, text: &mut String, palette: &Palette, title: &str) -> core::fmt::Result {
        let always = Frames(u64::MAX >> (MOST - self.frames.clamp(1, MOST)));
        let mut parts: Vec<Frames> = Vec::new();
        for (_, frames) in &self.commands {
            if *frames != always && !parts.contains(frames) {
                parts.push(*frames);
            }
        }
        svg::open(text, self.size, title)?;
        self.style(text, &parts)?;
        svg::ground(text, self.size, palette)?;
        // Neighbours that are to be seen in the same frames say so together.
        for group in self.commands.chunk_by(|(_, a), (_, b)| a == b) {
            let frames = group[0].1;
            let part = parts.iter().position(|part| *part == frames);
            if let Some(part) = part {
                write!(text, r#"<g class="f{part}""#)?;
                if !frames.has(self.frames - 1) {
                    text.push_str(r#" visibility="hidden""#);
                }
                text.push_str(">\n");
            }
            for (command, _) in group {
                svg::shape(text, command, palette)?;
            }
            if part.is_some() {
                text.push_str("</g>\n");
            }
        }
        text.write_str("</svg>\n")
    }

    /// When each part is visible.
    fn style(&self, text: &mut String, parts: &[Frames]) -> core::fmt::Result {
        let last = self.frames.saturating_sub(1);
        // Whole seconds.
        let length = (FRAME * last as f64 + REST + 0.5) as u64 as f64;
        // All groups are of this kind: what is always there is in none.
        writeln!(
            text,
            "<style>\ng{{animation:{length:.0}s step-end infinite}}"
        )?;
        for (i, part) in parts.iter().enumerate() {
            write!(text, ".f{i}{{animation-name:f{i}}}@keyframes f{i}{{")?;
            for frame in 0..self.frames {
                // Before the first change all is as it stands in the end, which is what the attributes say.
                let before = frame.checked_sub(1).unwrap_or(last);
                if part.has(frame) != part.has(before) {
                    let seen = if part.has(frame) { "visible" } else { "hidden" };
                    let at = 100.0 * FRAME * frame as f64 / length;
                    write!(text, "{at:.1}%{{visibility:{seen}}}")?;
                }
            }
            text.push_str("}\n");
        }
        text.push_str(
            "@media (prefers-reduced-motion:reduce){*{animation:none!important}}\n</style>\n",
        );
        Ok(())
    }
}

/// The longest sequence of commands that a list and a drawing have in common, in order.
struct Longest {
    /// At `[i * width + j]`: how long it is from the i-th of the list and the j-th of the drawing on.
    lengths: Vec<u16>,
    /// Whether those two are the same.
    same: Vec<bool>,
    width: usize,
}

impl Longest {
    fn of(known: &[(Command, Frames)], drawn: &[Command]) -> Self {
        let width = drawn.len() + 1;
        let mut lengths = vec![0; (known.len() + 1) * width];
        let mut same = vec![false; lengths.len()];
        for (i, (known, _)) in known.iter().enumerate().rev() {
            for (j, drawn) in drawn.iter().enumerate().rev() {
                let at = i * width + j;
                same[at] = known == drawn;
                lengths[at] = match same[at] {
                    true => lengths[at + width + 1] + 1,
                    false => lengths[at + width].max(lengths[at + 1]),
                };
            }
        }
        Self {
            lengths,
            same,
            width,
        }
    }

    /// Whether the `j`-th of the drawing is part of it, the list being read from its `i`-th on.
    fn takes(&self, i: usize, j: usize) -> bool {
        self.lengths[i * self.width + j] > self.lengths[i * self.width + j + 1]
    }

    /// The first of the list from its `i`-th on that is the same as the `j`-th of the drawing.
    fn next(&self, i: usize, j: usize) -> usize {
        let mut next = i;
        while !self.same[next * self.width + j] {
            next += 1;
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{registration::Registration, scenario::presets};

    fn drawings(preset: &str) -> Vec<Drawing> {
        let scenario = presets::find(preset).unwrap().scenario();
        let index = Registration::new(&scenario).unwrap().index();
        let view = View::whole(index.registration(), 960.0);
        moments(Steps::new(&index).count())
            .into_iter()
            .map(|moment| draw(&index, view, moment, Attention::default()))
            .collect()
    }

    /// The slow twin: each frame by itself.
    #[test]
    fn every_frame_is_to_be_seen_as_it_was_drawn() {
        for preset in presets::names() {
            let drawings = drawings(preset);
            let film = Film::of(drawings.iter().cloned());
            assert_eq!(film.frames, drawings.len());
            for (frame, drawing) in drawings.iter().enumerate() {
                let seen = film.commands.iter().filter(|(_, frames)| frames.has(frame));
                let seen: Vec<_> = seen.map(|(command, _)| command.clone()).collect();
                assert!(seen == drawing.commands, "{preset}, frame {frame}");
            }
        }
    }

    #[test]
    fn moments_are_from_the_beginning_to_the_end_and_never_too_many() {
        for steps in [0, 1, 2, 7, 8, 9, 63, 64, 1000, usize::MAX / 16] {
            let moments = moments(steps);
            assert!((1..=MOST).contains(&moments.len()), "{steps}");
            assert_eq!(moments[0], 0.0);
            assert_eq!(*moments.last().unwrap(), steps as f64);
        }
    }
}
