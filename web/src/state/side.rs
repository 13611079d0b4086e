//! One scenario on the page: what its fields say, and the last answer that was right. There are two of them while two are compared.

use super::{Field, Origin};
use crate::{
    case::Case,
    edit,
    link::{self, Beyond},
    many::Many,
    scene::Scene,
};
use std::rc::Rc;
use umem_core::scenario::{
    Scenario, ScenarioError,
    presets::{self, Preset},
};

/// A scenario on the page.
#[derive(Clone, PartialEq, Debug)]
pub struct Side {
    /// What the fields say, right or wrong.
    pub draft: Rc<Scenario>,
    /// What is typed into them.
    pub texts: Texts,
    /// What is wrong with them.
    pub faults: Rc<Faults>,
    /// The last that was right, worked out.
    pub scene: Rc<Scene>,
    /// The name of the preset that was chosen last.
    pub origin: Option<&'static str>,
    /// The name of the preset that the scene is, if it is one.
    pub preset: Option<&'static str>,
    /// Where it was loaded from, if it was.
    pub loaded: Option<Origin>,
    /// Whether it was changed since.
    pub changed: bool,
    /// The set that it is a registration of, if it is.
    pub many: Option<Rc<Many>>,
    /// The question of a public report that was opened last.
    pub(super) case: Option<Rc<Case>>,
    /// The fragment that asks for the scene by itself, or why there is none.
    pub own: Result<Rc<str>, Beyond>,
}

impl Side {
    /// A scenario by itself.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub(super) fn new(scenario: Scenario) -> Result<Self, ScenarioError> {
        let draft = Rc::new(scenario);
        let scene = Scene::new(&draft)?;
        Ok(Self::showing(Rc::new(scene)))
    }

    /// The same, to be seen beside `other`.
    ///
    /// # Errors
    /// Those of [`new`](Self::new).
    pub(super) fn beside(scenario: Scenario, other: &Scene) -> Result<Self, ScenarioError> {
        let draft = Rc::new(scenario);
        let scene = Scene::beside(&draft, other)?;
        Ok(Self::showing(Rc::new(scene)))
    }

    /// Another in the place of this one: `scenario`, which may be the preset `origin`.
    ///
    /// # Errors
    /// Those of [`new`](Self::new).
    pub(super) fn another(
        &self,
        mut scenario: Scenario,
        origin: Option<&'static str>,
    ) -> Result<Self, ScenarioError> {
        let preset = named(&mut scenario, origin);
        let mut side = match scenario == *self.scene.scenario {
            true => Self::showing(self.scene.clone()),
            false => Self::beside(scenario, &self.scene)?,
        };
        (side.origin, side.preset) = (origin, preset);
        side.name_itself();
        Ok(side)
    }

    fn showing(scene: Rc<Scene>) -> Self {
        let draft = scene.scenario.clone();
        Self {
            scene,
            texts: Texts::of(&draft),
            own: link::to_scenario(&draft).map(Into::into),
            draft,
            faults: Rc::default(),
            origin: None,
            preset: None,
            loaded: None,
            changed: false,
            many: None,
            case: None,
        }
    }

    /// A preset.
    pub(super) fn of(preset: &'static Preset) -> Self {
        let Ok(side) = Self::new(preset.scenario()) else {
            unreachable!("presets are right, as their tests show");
        };
        Self {
            origin: Some(preset.name),
            preset: Some(preset.name),
            own: Ok(link::to_preset(preset).into()),
            ..side
        }
    }

    /// The preset that the scene is, if it is one.
    pub fn preset(&self) -> Option<&'static Preset> {
        self.preset.and_then(presets::find)
    }
}

/// The preset that `scenario` is, which grew out of the preset `origin`. It is called as that preset is only as long as it is that.
pub(super) fn named(scenario: &mut Scenario, origin: Option<&str>) -> Option<&'static str> {
    let preset = presets::find(origin?)?;
    let own = preset.scenario();
    let is_it = edit::same_question(&own, scenario);
    scenario.name = own.name.filter(|_| is_it);
    is_it.then_some(preset.name)
}

/// What is wrong, field by field: a handful at most.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Faults(Vec<(Field, String)>);

impl Faults {
    /// What is wrong with `field`.
    pub fn get(&self, field: Field) -> Option<&String> {
        let found = self.0.iter().find(|(known, _)| *known == field);
        found.map(|(_, problem)| problem)
    }

    /// Whether everything is right.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many fields are wrong.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Something is wrong with `field`, whatever was wrong with it before.
    pub(super) fn set(&mut self, field: Field, problem: String) {
        self.0.retain(|(known, _)| *known != field);
        self.0.push((field, problem));
    }
}

/// What is typed into the fields that are typed into.
#[derive(Clone, PartialEq, Debug)]
pub struct Texts {
    /// "Start offset".
    pub offset: String,
    /// "Length".
    pub length: String,
    /// "IOVA"; `None` where nothing is mapped.
    pub iova: Option<String>,
    /// "NIC address"; empty if it is the virtual one.
    pub hca: String,
    /// "Kernel release"; empty if a generation of rules was chosen.
    pub release: String,
    /// "Frames at"; `None` where extents say it.
    pub start: Option<String>,
}

impl Texts {
    pub(super) fn of(scenario: &Scenario) -> Self {
        Self {
            offset: scenario.region.offset.to_string(),
            length: scenario.region.length.to_string(),
            iova: edit::iova(scenario),
            hca: edit::hca(scenario),
            release: scenario.kernel.release.clone().unwrap_or_default(),
            start: edit::start(scenario),
        }
    }
}
