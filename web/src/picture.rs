//! The picture: a canvas, with the keys and pointers that move it.

use crate::{
    app::Sends,
    scene::Scene,
    state::{Action, Dispatch},
};
use std::rc::Rc;
use umem_core::diagram::{self, View};
use web_sys::{HtmlCanvasElement, KeyboardEvent, PointerEvent, WheelEvent};
use yew::prelude::*;

mod paint;
mod surroundings;
pub mod transport;

use surroundings::{use_dark, use_still, use_width};

/// How much a press of + magnifies.
const ZOOM: f64 = 2.0;
/// What stands under the picture while nothing is pointed at.
const HINT: &str = "Point at a box to read it, click an entry to ask why. With the picture in focus, ? lists the keys.";
/// Further than this a press is a drag, in pixels.
const DRAG: f64 = 4.0;

/// What the picture is given.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// What it shows.
    pub scene: Rc<Scene>,
    /// The moment.
    pub moment: f64,
    /// What of the region is seen.
    pub sight: Option<(f64, f64)>,
    /// The entry that somebody pointed at.
    pub chosen: Option<i64>,
    /// Where keys and pointers go.
    pub dispatch: Dispatch,
}

/// The picture.
#[component]
pub fn Picture(props: &Props) -> Html {
    let canvas = use_node_ref();
    let width = use_width(canvas.clone());
    let (dark, still) = (use_dark(), use_still());
    let hover = use_state_eq(|| None::<AttrValue>);
    let drag = use_mut_ref(|| None::<Drag>);

    let scene = props.scene.clone();
    let view = match props.sight {
        Some((from, span)) => View { from, span, width },
        None => View::whole(&scene.registration, width),
    };
    // Who asked for less motion gets step after step, without what is between.
    let moment = if still {
        props.moment.floor()
    } else {
        eased(props.moment)
    };
    let focus = {
        let moment = scene.steps.moment(moment);
        props
            .chosen
            .or_else(|| diagram::focus(&scene.registration, &scene.index, &moment))
    };
    let painted = (scene.clone(), view, moment, props.chosen, dark);
    use_effect_with((canvas.clone(), painted), |(canvas, painted)| {
        let (scene, view, moment, chosen, dark) = painted;
        if let Some(canvas) = canvas
            .cast::<HtmlCanvasElement>()
            .filter(|_| view.width > 0.0)
        {
            let drawing = diagram::draw_at(
                &scene.registration,
                &scene.index,
                &scene.steps,
                *view,
                *moment,
                *chosen,
            );
            paint::paint(&canvas, &drawing, *dark);
        }
    });

    let found = {
        let scene = scene.clone();
        move |x: f64, y: f64| {
            diagram::detail(&scene.registration, &scene.index, view, (x, y), focus)
        }
    };
    let onpointermove = {
        let (hover, drag, found, dispatch) = (
            hover.clone(),
            drag.clone(),
            found.clone(),
            props.dispatch.clone(),
        );
        Callback::from(move |event: PointerEvent| {
            let x = f64::from(event.offset_x());
            if let Some(drag) = drag
                .borrow_mut()
                .as_mut()
                .filter(|_| event.buttons() & 1 == 1)
            {
                drag.moved |= (x - drag.start).abs() > DRAG;
                if drag.moved {
                    let pixels = drag.last - x;
                    dispatch.dispatch(Action::Pan { pixels, width });
                    drag.last = x;
                }
            }
            let detail = found(x, f64::from(event.offset_y()));
            hover.set(detail.map(|detail| AttrValue::from(detail.text)));
        })
    };
    let onpointerdown = {
        let drag = drag.clone();
        Callback::from(move |event: PointerEvent| {
            let x = f64::from(event.offset_x());
            *drag.borrow_mut() = Some(Drag {
                start: x,
                last: x,
                moved: false,
            });
        })
    };
    let onclick = {
        let (drag, dispatch) = (drag.clone(), props.dispatch.clone());
        Callback::from(move |event: MouseEvent| {
            if drag.take().is_some_and(|drag| drag.moved) {
                return;
            }
            let at = (f64::from(event.offset_x()), f64::from(event.offset_y()));
            dispatch.dispatch(Action::Choose(
                found(at.0, at.1).map(|detail| detail.offset),
            ));
        })
    };
    let onpointerleave = {
        let hover = hover.clone();
        Callback::from(move |_: PointerEvent| hover.set(None))
    };
    let onwheel = {
        let dispatch = props.dispatch.clone();
        Callback::from(move |event: WheelEvent| wheel(&event, width, &dispatch))
    };
    let onkeydown = {
        let dispatch = props.dispatch.clone();
        Callback::from(move |event: KeyboardEvent| key(&event, width, &dispatch))
    };
    let caption = (*hover).clone().unwrap_or(AttrValue::Static(HINT));
    html! {
        <div class="picture">
            <canvas
                ref={canvas}
                tabindex="0"
                role="application"
                aria-roledescription="picture"
                aria-label="Five lanes on one axis: virtual memory, physical frames, SG entries, DMA segments and device entries, with a lens on the entries"
                aria-describedby="caption"
                aria-keyshortcuts="Space ArrowLeft ArrowRight Home + - 0 ?"
                {onpointermove}
                {onpointerdown}
                {onpointerleave}
                {onclick}
                {onwheel}
                {onkeydown}
            />
            <p class="caption" id="caption">{ caption }</p>
            if props.sight.is_some() {
                <button type="button" class="whole" onclick={props.dispatch.on(Action::Whole)}>{ "Show all" }</button>
            }
        </div>
    }
}

/// A press on the canvas, under way.
struct Drag {
    start: f64,
    last: f64,
    moved: bool,
}

/// The moment with each step gently begun and ended.
fn eased(moment: f64) -> f64 {
    let part = moment.fract();
    moment.floor() + part * part * (3.0 - 2.0 * part)
}

/// The wheel zooms with Ctrl (which is also what a pinch sends) and pans sideways; alone it scrolls the page as everywhere.
fn wheel(event: &WheelEvent, width: f64, dispatch: &Dispatch) {
    let sideways = match event.shift_key() {
        true => event.delta_y() + event.delta_x(),
        false => event.delta_x(),
    };
    if event.ctrl_key() || event.meta_key() {
        event.prevent_default();
        let factor = (-event.delta_y() * 0.01).exp().clamp(0.25, 4.0);
        let x = Some(f64::from(event.offset_x()));
        dispatch.dispatch(Action::Zoom { factor, x, width });
    } else if sideways.abs() > event.delta_y().abs() || event.shift_key() {
        event.prevent_default();
        dispatch.dispatch(Action::Pan {
            pixels: sideways,
            width,
        });
    }
}

fn key(event: &KeyboardEvent, width: f64, dispatch: &Dispatch) {
    if event.ctrl_key() || event.meta_key() || event.alt_key() {
        return;
    }
    let zoom = |factor| Action::Zoom {
        factor,
        x: None,
        width,
    };
    let action = match event.key().as_str() {
        " " => Action::Toggle,
        "ArrowRight" => Action::Step,
        "ArrowLeft" => Action::Back,
        "Home" => Action::Restart,
        "+" | "=" => zoom(ZOOM),
        "-" | "_" | "−" => zoom(1.0 / ZOOM),
        "0" => Action::Whole,
        "?" => Action::Keys(true),
        _ => return,
    };
    event.prevent_default();
    dispatch.dispatch(action);
}
