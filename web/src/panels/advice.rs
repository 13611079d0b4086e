//! The core's advice, each change a button that applies it.

use crate::{
    scene::Scene,
    state::{Action, Dispatch, Sends, Tried},
    widgets::focus::use_return,
    words::{grouped, sentence},
};
use std::rc::Rc;
use umem_core::advice::{Advice as Piece, Outcome, advice};
use web_sys::HtmlElement;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(super) struct Props {
    pub(super) scene: Rc<Scene>,
    /// What was tried last.
    pub(super) tried: Option<Tried>,
    /// Where "Try it" goes.
    pub(super) dispatch: Dispatch,
}

#[component]
pub(super) fn Advice(
    Props {
        scene,
        tried,
        dispatch,
    }: &Props,
) -> Html {
    let advice = use_memo(scene.clone(), |scene| {
        let pieces = advice(scene.registration());
        pieces.into_iter().map(Rc::new).collect::<Vec<_>>()
    });
    let first = use_node_ref();
    use_return(tried.is_some(), first.clone());
    html! {
        <>
            if let Some(Tried { advice, .. }) = tried {
                <Followed advice={advice.clone()} dispatch={dispatch.clone()} />
            }
            if !advice.is_empty() {
                <section>
                    <h2>{ "What would help" }</h2>
                    { for advice.iter().enumerate().map(|(i, advice)| piece(i, advice, &first, dispatch)) }
                </section>
            }
        </>
    }
}

fn piece(number: usize, advice: &Rc<Piece>, first: &NodeRef, dispatch: &Dispatch) -> Html {
    let id = format!("advice-{number}");
    let button = if number == 0 {
        first.clone()
    } else {
        NodeRef::default()
    };
    html! {
        <div class="advice">
            <p id={id.clone()}>{ gain(advice) }</p>
            <p class="note">{ sentence(&advice.cost) }</p>
            if advice.scenarios.len() == 1 {
                <button ref={button} type="button" aria-describedby={id} onclick={dispatch.on(Action::Apply(advice.clone()))}>{ "Try it" }</button>
            }
        </div>
    }
}

/// What to do, and what it brings.
fn gain(advice: &Piece) -> Html {
    let entries = |outcome: &Outcome| outcome.entries.map_or("refused".into(), grouped);
    html! {
        <>
            { sentence(&advice.change) }{ " " }
            <b class="term">{ format!("{} → {}", entries(&advice.before), entries(&advice.after)) }</b>
        </>
    }
}

#[derive(Properties, PartialEq)]
struct FollowedProps {
    advice: Rc<Piece>,
    dispatch: Dispatch,
}

/// What was tried, and the way back, which gets the focus: the button that led here is gone.
#[component]
fn Followed(FollowedProps { advice, dispatch }: &FollowedProps) -> Html {
    let back = use_node_ref();
    use_effect_with((back.clone(), advice.clone()), |(back, _)| {
        if let Some(back) = back.cast::<HtmlElement>() {
            // What is gone cannot be focused, and nothing is lost by it.
            let _ = back.focus();
        }
    });
    html! {
        <section>
            <h2>{ "You tried" }</h2>
            <div class="advice">
                <p id="followed">{ gain(advice) }</p>
                <button ref={back} type="button" aria-describedby="followed" onclick={dispatch.on(Action::Undo)}>{ "Undo" }</button>
            </div>
        </section>
    }
}
