//! The picture: a canvas, with the keys and pointers that move it.

use crate::{
    app::Sends,
    scene::Scene,
    state::{Action, Dialog, Dispatch},
};
use gloo::utils::window;
use std::rc::Rc;
use umem_core::diagram::{self, Attention, View};
use web_sys::{HtmlCanvasElement, KeyboardEvent, PointerEvent, WheelEvent};
use yew::prelude::*;

mod gesture;
pub(crate) mod paint;
mod surroundings;
pub mod transport;

use gesture::{Fingers, Gesture};
use paint::Theme;
use surroundings::{use_dark, use_forced, use_still, use_width};

/// How much a press of + magnifies.
const ZOOM: f64 = 2.0;
/// What the picture is called.
const LABEL: &str = "Five lanes on one axis: virtual memory, physical frames, SG entries, DMA segments and device entries, with a lens on the entries";
/// What stands under the picture while nothing is pointed at.
const HINT: &str = "Point at a box to read it, click an entry to ask why. With the picture in focus, ? lists the keys.";

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
    /// Whether what is yet to come stays hidden.
    #[prop_or_default]
    pub veiled: bool,
    /// Which of two pictures it is, if there are two.
    #[prop_or_default]
    pub name: AttrValue,
    /// Where keys and pointers go.
    pub dispatch: Dispatch,
}

/// The picture.
#[component]
pub fn Picture(props: &Props) -> Html {
    let canvas = use_node_ref();
    let width = use_width(canvas.clone());
    let (theme, still) = (Theme::of(use_dark(), use_forced()), use_still());
    let hover = use_state_eq(|| None::<AttrValue>);
    let fingers = use_mut_ref(Fingers::default);

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
    let attention = Attention {
        chosen: props.chosen,
        veiled: props.veiled,
    };
    let painted = (scene.clone(), view, moment, attention, theme);
    use_effect_with((canvas.clone(), painted), |(canvas, painted)| {
        let (scene, view, moment, attention, theme) = painted;
        if let Some(canvas) = canvas
            .cast::<HtmlCanvasElement>()
            .filter(|_| view.width > 0.0)
        {
            let drawing = diagram::draw_for(
                &scene.registration,
                &scene.index,
                &scene.steps,
                *view,
                *moment,
                *attention,
            );
            let ratio = window().device_pixel_ratio().clamp(1.0, 4.0);
            paint::paint(&canvas, &drawing, *theme, ratio);
        }
    });

    let veiled = props.veiled;
    let found = {
        let scene = scene.clone();
        move |x: f64, y: f64| {
            diagram::detail(&scene.registration, &scene.index, view, (x, y), focus)
                .filter(|_| !veiled)
        }
    };
    let onpointermove = {
        let (hover, fingers, found, dispatch) = (
            hover.clone(),
            fingers.clone(),
            found.clone(),
            props.dispatch.clone(),
        );
        Callback::from(move |event: PointerEvent| {
            let at = place(&event);
            let gesture = fingers.borrow_mut().moved(event.pointer_id(), at);
            gestured(gesture, width, &dispatch);
            hover.set(found(at.0, at.1).map(|detail| AttrValue::from(detail.text)));
        })
    };
    let onpointerdown = {
        let fingers = fingers.clone();
        Callback::from(move |event: PointerEvent| {
            let first = event.is_primary();
            fingers
                .borrow_mut()
                .down(event.pointer_id(), place(&event), first);
            // A drag goes on beyond the picture's edge, where the browser lets it.
            if let Some(canvas) = event.target_dyn_into::<HtmlCanvasElement>() {
                let _ = canvas.set_pointer_capture(event.pointer_id());
            }
        })
    };
    let onpointercancel = {
        let fingers = fingers.clone();
        Callback::from(move |event: PointerEvent| fingers.borrow_mut().up(event.pointer_id()))
    };
    // Not a click: after a drag browsers owe none for the next tap.
    let onpointerup = {
        let (fingers, dispatch, hover) = (fingers.clone(), props.dispatch.clone(), hover.clone());
        Callback::from(move |event: PointerEvent| {
            fingers.borrow_mut().up(event.pointer_id());
            if fingers.borrow().have_moved() || event.button() != 0 {
                return;
            }
            let (x, y) = place(&event);
            let detail = found(x, y);
            dispatch.dispatch(Action::Choose(detail.as_ref().map(|detail| detail.offset)));
            hover.set(detail.map(|detail| AttrValue::from(detail.text)));
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
    let caption = match ((*hover).clone(), props.chosen) {
        (Some(text), _) => text,
        // What the lens was put on is told to those who cannot point, too.
        (None, Some(offset)) => {
            let lane = diagram::LaneName::Entries;
            diagram::detail_at(&scene.registration, &scene.index, lane, offset)
                .map_or(AttrValue::Static(HINT), |detail| detail.text.into())
        }
        (None, None) => AttrValue::Static(HINT),
    };
    let label = match &*props.name {
        "" => LABEL.to_owned(),
        name => format!("{name}: {LABEL}"),
    };
    let caption_id = format!("caption{}", props.name);
    html! {
        <div class="picture">
            <canvas
                ref={canvas}
                tabindex="0"
                role="application"
                aria-roledescription="picture"
                aria-label={label}
                aria-describedby={caption_id.clone()}
                aria-keyshortcuts="Space ArrowLeft ArrowRight Home + - 0 ?"
                {onpointermove}
                {onpointerdown}
                {onpointerup}
                {onpointercancel}
                {onpointerleave}
                {onwheel}
                {onkeydown}
            />
            <p class="caption" id={caption_id}>{ caption }</p>
            if props.sight.is_some() {
                <button type="button" class="whole" onclick={props.dispatch.on(Action::Whole)}>{ "Show all" }</button>
            }
        </div>
    }
}

/// Where on the picture a pointer is.
fn place(event: &PointerEvent) -> (f64, f64) {
    (f64::from(event.offset_x()), f64::from(event.offset_y()))
}

fn gestured(gesture: Option<Gesture>, width: f64, dispatch: &Dispatch) {
    match gesture {
        Some(Gesture::Drag(pixels)) => dispatch.dispatch(Action::Pan { pixels, width }),
        Some(Gesture::Pinch { factor, x, drag }) => {
            let x = Some(x);
            dispatch.dispatch(Action::Zoom { factor, x, width });
            dispatch.dispatch(Action::Pan {
                pixels: drag,
                width,
            });
        }
        None => {}
    }
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
        "?" => Action::Dialog(Some(Dialog::Help)),
        _ => return,
    };
    event.prevent_default();
    dispatch.dispatch(action);
}
