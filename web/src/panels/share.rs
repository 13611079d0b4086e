//! Links, commands, snippets and files of what is seen.

use super::dialog::Modal;
use crate::{element::Shown, keep, scene::Scene, share, state::Dispatch};
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
    /// What is seen: one picture, or two that are compared.
    pub pictures: Vec<Shown>,
    /// The fragment that opens exactly what is seen; none for captures.
    pub link: Option<String>,
    /// Where closing goes.
    pub dispatch: Dispatch,
}

/// Sharing, as a dialog that is made when it is opened.
#[component]
pub fn Share(props: &Props) -> Html {
    html! {
        <Modal id="share-title" title="Share and keep" open={props.open} dispatch={props.dispatch.clone()}>
            if props.open {
                <Ways scene={props.scene.clone()} preset={props.preset} pictures={props.pictures.clone()} link={props.link.clone()} />
            }
        </Modal>
    }
}

#[derive(Properties, PartialEq)]
struct WaysProps {
    scene: Rc<Scene>,
    preset: Option<&'static str>,
    pictures: Vec<Shown>,
    link: Option<String>,
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
            if let Some(link) = &props.link {
                { text("Link", here() + "#" + link) }
                <p class="note">{ "It opens what you see: the scenario, the moment, and the part of the picture." }</p>
                { text("Command", share::command(scenario, preset)) }
                { text("For a page of your own", share::embed(scenario, preset, &status)) }
                <p class="note">
                    { "Beside that page belong " }<code>{ "umem-split.js" }</code>{ " and the folder " }<code>{ "element" }</code>
                    { " of this site, and the picture (SVG) below, for readers without JavaScript. The book tells " }
                    <a href="book/embed.html">{ "how to embed" }</a>{ "." }
                </p>
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
            pictures: props.pictures.clone(),
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
            { file("svg", "Picture (SVG)", |need, name| keep::svg(&need.pictures, name)) }
            { file("png", "Picture (PNG)", |need, name| keep::png(&need.pictures, name)) }
            { file("json", "Scenario (JSON)", |need, name| keep::text(name, "application/json", &need.scene.scenario.to_json_pretty())) }
            { file("result.json", "Result (JSON)", |need, name| keep::text(name, "application/json", &keep::result(&need.scene))) }
            { file("csv", "Entries (CSV)", |need, name| keep::text(name, "text/csv", &share::csv(&need.scene))) }
        </div>
    }
}

/// The address of the page without what it shows.
fn here() -> String {
    let href = window().location().href().unwrap_or_default();
    href.split('#').next().unwrap_or_default().to_owned()
}

/// What a file is made from.
struct WaysNeed {
    scene: Rc<Scene>,
    pictures: Vec<Shown>,
}

/// How many rows a text takes, as far as it is shown without scrolling.
fn rows(text: &str) -> usize {
    let rows = text.lines().map(|line| line.len().div_ceil(ROW).max(1));
    rows.sum::<usize>().clamp(1, 5)
}

/// About how many letters a row holds.
const ROW: usize = 52;

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
            <textarea {id} readonly=true rows={rows(text).to_string()} value={text.clone()} />
        </div>
    }
}
