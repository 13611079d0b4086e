//! The core's advice, each change a button that applies it.

use super::{grouped, sentence};
use crate::{
    app::Sends,
    scene::Scene,
    state::{Action, Dispatch},
};
use std::rc::Rc;
use umem_core::advice::Outcome;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(super) struct Props {
    pub(super) scene: Rc<Scene>,
    /// Where "Try it" goes.
    pub(super) dispatch: Dispatch,
}

#[component]
pub(super) fn Advice(Props { scene, dispatch }: &Props) -> Html {
    let advice = use_memo(scene.clone(), |scene| {
        scene.registration.advice(&scene.scenario)
    });
    if advice.is_empty() {
        return Html::default();
    }
    let entries = |outcome: &Outcome| outcome.entries.map_or("refused".into(), grouped);
    html! {
        <section>
            <h2>{ "What would help" }</h2>
            { for advice.iter().map(|advice| html! {
                <div class="advice">
                    <p>
                        { sentence(&advice.change) }{ " " }
                        <b class="term">{ format!("{} → {}", entries(&advice.before), entries(&advice.after)) }</b>
                    </p>
                    <p class="note">{ sentence(&advice.cost) }</p>
                    if let [scenario] = &advice.scenarios[..] {
                        <button type="button" onclick={dispatch.on(Action::Apply(Box::new(scenario.clone())))}>{ "Try it" }</button>
                    }
                </div>
            }) }
        </section>
    }
}
