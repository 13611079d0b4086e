//! The passing of time: a frame of the browser is a tick of the page.

use crate::player::Motion;
use crate::state::{Action, Dispatch};
use gloo::render::{AnimationFrame, request_animation_frame};
use std::{cell::RefCell, rc::Rc};
use yew::prelude::*;

/// Sends [`Motion::Tick`] at every frame while `playing`.
#[hook]
pub(super) fn use_clock(playing: bool, dispatch: Dispatch) {
    use_effect_with(playing, move |playing| {
        let frame = Rc::new(RefCell::new(None));
        if *playing {
            schedule(&frame, None, dispatch);
        }
        // A frame that is dropped is cancelled.
        move || drop(frame.take())
    });
}

fn schedule(slot: &Rc<RefCell<Option<AnimationFrame>>>, last: Option<f64>, dispatch: Dispatch) {
    let next = Rc::downgrade(slot);
    let frame = request_animation_frame(move |now| {
        if let Some(slot) = next.upgrade() {
            schedule(&slot, Some(now), dispatch.clone());
        }
        if let Some(last) = last {
            dispatch.dispatch(Action::Move(Motion::Tick(now - last)));
        }
    });
    slot.replace(Some(frame));
}
