//! Links, commands, snippets and files of what is seen.

use super::dialog::Modal;
use crate::{keep, player::Player, scene::Scene, share, state::Dispatch};
use gloo::utils::window;
use std::rc::Rc;
use umem_core::scenario::presets::Preset;
use wasm_bindgen_futures::JsFuture;
use yew::prelude::*;

/// What sharing is given.
#[derive(Properties, PartialEq)]
pub struct Props {
    /// Whether it is shown.
    pub open: bool,
    /// What is shared.
    pub scene: Rc<Scene>,
    /// The preset that it is, if it is one.
    pub preset: Option<&'static str>,
    /// The moment and the part of it that are seen.
    pub player: Player,
    /// Whether the address of the page holds it.
    pub linked: bool,
    /// Where closing goes.
    pub dispatch: Dispatch,
}

/// Sharing, as a dialog that is made when it is opened.
#[component]
pub fn Share(props: &Props) -> Html {
    html! {
        <Modal id="share-title" title="Share and keep" open={props.open} dispatch={props.dispatch.clone()}>
            if props.open {
                <Ways scene={props.scene.clone()} preset={props.preset} player={props.player} linked={props.linked} />
            }
        </Modal>
    }
}

#[derive(Properties, PartialEq)]
struct WaysProps {
    scene: Rc<Scene>,
    preset: Option<&'static str>,
    player: Player,
    linked: bool,
}

#[component]
fn Ways(props: &WaysProps) -> Html {
    let said = use_state_eq(|| AttrValue::Static(""));
    let preset = props.preset.and_then(umem_core::scenario::presets::find);
    let text = |title: &'static str, text: String| {
        html! { <Text {title} {text} said={said.setter()} /> }
    };
    let scenario = &props.scene.scenario;
    let status = props.scene.registration.status();
    html! {
        <>
            if props.linked {
                { text("Link", window().location().href().unwrap_or_default()) }
                { text("Command", share::command(scenario, preset)) }
                { text("For a page of your own", share::embed(scenario, preset, &status)) }
            } else {
                <p class="note">{ "This is a capture of a machine. It is not put into links; keep the file instead, and open it \
                    with `umem view FILE` or with this page." }</p>
            }
            { files(props, preset, &said.setter()) }
            <p class="note said" aria-live="polite">{ &*said }</p>
        </>
    }
}

fn files(props: &WaysProps, preset: Option<&Preset>, said: &UseStateSetter<AttrValue>) -> Html {
    let name = share::name(preset);
    let file = |ending: &'static str, title: &'static str, make: fn(&WaysNeed, &str)| {
        let need = WaysNeed {
            scene: props.scene.clone(),
            player: props.player,
        };
        let said = said.clone();
        let onclick = Callback::from(move |_: MouseEvent| {
            let file = format!("{name}.{ending}");
            make(&need, &file);
            said.set(format!("{file} is with your downloads.").into());
        });
        html! { <button type="button" {onclick}>{ title }</button> }
    };
    html! {
        <div class="files" role="group" aria-label="Files">
            { file("svg", "Picture (SVG)", |need, name| keep::svg(&need.scene, need.player, name)) }
            { file("png", "Picture (PNG)", |need, name| keep::png(&need.scene, need.player, name)) }
            { file("json", "Scenario (JSON)", |need, name| keep::text(name, "application/json", &need.scene.scenario.to_json_pretty())) }
            { file("result.json", "Result (JSON)", |need, name| keep::text(name, "application/json", &keep::result(&need.scene))) }
            { file("csv", "Entries (CSV)", |need, name| keep::text(name, "text/csv", &share::csv(&need.scene))) }
        </div>
    }
}

/// What a file is made from.
struct WaysNeed {
    scene: Rc<Scene>,
    player: Player,
}

#[derive(Properties, PartialEq)]
struct TextProps {
    title: &'static str,
    text: String,
    said: UseStateSetter<AttrValue>,
}

/// A text to copy.
#[component]
fn Text(TextProps { title, text, said }: &TextProps) -> Html {
    let onclick = {
        let (text, said, title) = (text.clone(), said.clone(), *title);
        Callback::from(move |_: MouseEvent| {
            let (text, said) = (text.clone(), said.clone());
            yew::platform::spawn_local(async move {
                let copied =
                    JsFuture::from(window().navigator().clipboard().write_text(&text)).await;
                said.set(match copied {
                    Ok(_) => format!("{title}: copied.").into(),
                    Err(_) => "This browser does not let pages copy: select the text and copy it yourself.".into(),
                });
            });
        })
    };
    let id = format!("share-{}", title.replace(' ', "-"));
    html! {
        <div class="copy">
            <label for={id.clone()}>{ *title }</label>
            <button type="button" {onclick}>{ "Copy" }<span class="unseen">{ format!(": {title}") }</span></button>
            <textarea {id} readonly=true rows={text.lines().count().clamp(1, 5).to_string()} value={text.clone()} />
        </div>
    }
}
