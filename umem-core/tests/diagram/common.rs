//! What the tests of the picture stand on.

use umem_core::{
    diagram::{Attention, Command, Drawing, Steps, View, draw},
    registration::{Index, Registration},
    scenario::{Scenario, presets::PRESETS},
};

pub struct Shown {
    pub index: Index,
}

pub fn shown(scenario: &Scenario) -> Shown {
    let index = Registration::new(scenario).unwrap().index();
    Shown { index }
}

pub fn scenario(json: &str) -> Shown {
    shown(&Scenario::from_json(json.as_bytes()).unwrap())
}

pub fn preset(name: &str) -> Shown {
    let preset = PRESETS.iter().find(|preset| preset.name == name).unwrap();
    shown(&preset.scenario())
}

impl Shown {
    pub fn registration(&self) -> &Registration {
        self.index.registration()
    }

    pub fn steps(&self) -> Steps<'_> {
        Steps::new(&self.index)
    }

    pub fn whole(&self, width: f64) -> View {
        View::whole(self.registration(), width)
    }

    pub fn draw(&self, view: View, moment: f64) -> Drawing {
        draw(&self.index, view, moment, Attention::default())
    }
}

pub fn texts(drawing: &Drawing) -> Vec<&str> {
    fn text(command: &Command) -> Option<&str> {
        match command {
            Command::Text { text, .. } => Some(text),
            _ => None,
        }
    }
    drawing.commands.iter().filter_map(text).collect()
}

/// Where a shape begins and ends from left to right, and how far down it reaches.
pub fn extent(command: &Command) -> (f64, f64, f64) {
    let of = |xs: &[f64], bottom| {
        let least = xs.iter().copied().fold(f64::MAX, f64::min);
        (least, xs.iter().copied().fold(f64::MIN, f64::max), bottom)
    };
    match command {
        Command::Rect {
            x,
            y,
            width,
            height,
            ..
        } => (*x, x + width, y + height),
        Command::Line { from, to, .. } => of(&[from.0, to.0], from.1.max(to.1)),
        Command::Marks { xs, to, .. } if xs.is_empty() => (0.0, 0.0, *to),
        Command::Marks { xs, to, .. } => of(xs, *to),
        Command::Polygon { points, .. } => {
            let xs: Vec<f64> = points.iter().map(|point| point.0).collect();
            of(&xs, points.iter().map(|point| point.1).fold(0.0, f64::max))
        }
        Command::Text {
            x,
            y,
            anchor,
            style,
            text,
            ..
        } => {
            let width = style.width(text);
            let left = match anchor {
                umem_core::diagram::Anchor::Start => *x,
                umem_core::diagram::Anchor::Middle => x - width / 2.0,
                umem_core::diagram::Anchor::End => x - width,
            };
            (left, left + width, *y)
        }
    }
}
