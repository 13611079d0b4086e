//! The picture: the figure on a canvas of the page.

use crate::{
    app::Sends,
    figure::{self, Fingers, Frame, paint, paint::Theme},
    player::{Motion, Player},
    scene::Scene,
    state::{Action, Dialog, Dispatch},
};
use gloo::utils::window;
use std::rc::Rc;
use web_sys::{HtmlCanvasElement, KeyboardEvent, PointerEvent, WheelEvent};
use yew::prelude::*;

mod surroundings;
pub mod transport;

use surroundings::{use_dark, use_forced, use_still, use_width};

/// What the picture is called.
const LABEL: &str = "Five lanes on one axis: virtual memory, physical frames, SG entries, DMA segments and device entries, with a lens on the entries";
/// What stands under it while nothing is pointed at.
const HINT: &str = "Point at a box to read it, click an entry to ask why. With the picture in focus, ? lists the keys.";
/// Its keys, in the words of `aria-keyshortcuts`.
const KEYS: &str = "Space ArrowLeft ArrowRight Home ArrowUp ArrowDown Shift+ArrowLeft Shift+ArrowRight Enter + - 0 ?";

/// What the picture is given.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// What it shows.
    pub scene: Rc<Scene>,
    /// The moment, and what is seen of it.
    pub player: Player,
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
    let (theme, still) = (theme(use_dark(), use_forced()), use_still());
    let hover = use_state_eq(|| None::<AttrValue>);
    let fingers = use_mut_ref(Fingers::default);
    let frame = Frame::natural(width);

    let (scene, player, veiled) = (props.scene.clone(), props.player, props.veiled);
    let painted = (scene.clone(), player.eased(still), width, veiled, theme);
    use_effect_with((canvas.clone(), painted), |(canvas, painted)| {
        let (scene, player, width, veiled, theme) = painted;
        if let Some(canvas) = canvas.cast::<HtmlCanvasElement>().filter(|_| *width > 0.0) {
            let drawing = player.draw(scene, *width, *veiled);
            let ratio = window().device_pixel_ratio().clamp(1.0, 4.0);
            paint::paint(&canvas, &drawing, &paint::Colours::of(*theme), ratio);
        }
    });

    let found = {
        let scene = scene.clone();
        move |at: (f64, f64)| figure::detail(&scene, &player, width, at).filter(|_| !veiled)
    };
    let onpointermove = {
        let (hover, fingers, found) = (hover.clone(), fingers.clone(), found.clone());
        let moving = sender(&props.dispatch);
        Callback::from(move |event: PointerEvent| {
            let motions = fingers.borrow_mut().motions(&event, frame);
            motions.for_each(&moving);
            hover.set(found(frame.place(&event)).map(|detail| AttrValue::from(detail.text)));
        })
    };
    let onpointerdown = {
        let fingers = fingers.clone();
        Callback::from(move |event: PointerEvent| {
            fingers.borrow_mut().press(&event, frame, &player)
        })
    };
    let onpointercancel = {
        let fingers = fingers.clone();
        Callback::from(move |event: PointerEvent| fingers.borrow_mut().up(event.pointer_id()))
    };
    // Not a click: after a drag browsers owe none for the next tap.
    let onpointerup = {
        let (moving, hover) = (sender(&props.dispatch), hover.clone());
        Callback::from(move |event: PointerEvent| {
            if !fingers.borrow_mut().tapped(&event) {
                return;
            }
            let detail = found(frame.place(&event));
            let offset = detail.as_ref().map(|detail| detail.offset);
            moving(Motion::Choose(offset));
            hover.set(detail.map(|detail| AttrValue::from(detail.text)));
        })
    };
    let onpointerleave = {
        let hover = hover.clone();
        Callback::from(move |_: PointerEvent| hover.set(None))
    };
    let onwheel = {
        let moving = sender(&props.dispatch);
        Callback::from(move |event: WheelEvent| figure::wheel(&event, frame).map_or((), &moving))
    };
    let onkeydown = {
        let (moving, dispatch) = (sender(&props.dispatch), props.dispatch.clone());
        Callback::from(
            move |event: KeyboardEvent| match figure::key(&event, width) {
                Some(motion) => moving(motion),
                None if event.key() == "?" => {
                    event.prevent_default();
                    dispatch.dispatch(Action::Dialog(Some(Dialog::Help)));
                }
                None => {}
            },
        )
    };
    let caption = (*hover).clone().or_else(|| {
        let told = figure::told(&scene, &player).filter(|_| !veiled)?;
        Some(told.text.into())
    });
    let label = match &*props.name {
        "" => LABEL.to_owned(),
        name => format!("{name}: {}", LABEL),
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
                aria-keyshortcuts={KEYS}
                {onpointermove}
                {onpointerdown}
                {onpointerup}
                {onpointercancel}
                {onpointerleave}
                {onwheel}
                {onkeydown}
            />
            <p class="caption" id={caption_id} aria-live="polite">{ caption.unwrap_or(AttrValue::Static(HINT)) }</p>
            if player.sight.is_some() {
                <button type="button" class="whole" onclick={props.dispatch.on(Action::Move(Motion::Whole))}>{ "Show all" }</button>
            }
        </div>
    }
}

/// The theme that the reader's settings ask for.
const fn theme(dark: bool, forced: bool) -> Theme {
    match (forced, dark) {
        (true, _) => Theme::Forced,
        (false, true) => Theme::Dark,
        (false, false) => Theme::Light,
    }
}

/// What sends motions.
fn sender(dispatch: &Dispatch) -> impl Fn(Motion) + use<> {
    let dispatch = dispatch.clone();
    move |motion| dispatch.dispatch(Action::Move(motion))
}
