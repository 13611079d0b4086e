//! Links, commands, snippets and files of what is seen.

use crate::{
    link::Beyond,
    many::Many,
    player::Shown,
    scene::Scene,
    share::{self, Keep},
    words,
};
use std::rc::Rc;
use umem_core::{
    diagram::palette::{DARK, LIGHT},
    scenario::presets::{self, Preset},
};
use yew::prelude::*;

/// What is shared.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Shared {
    /// The scene that the fields edit.
    pub(crate) scene: Rc<Scene>,
    /// The set that it is a registration of, if it is.
    pub(crate) many: Option<Rc<Many>>,
    /// The preset that it is, if it is one.
    pub(crate) preset: Option<&'static str>,
    /// What is seen: one picture, or two that are compared.
    pub(crate) pictures: Vec<Shown>,
    /// The address that opens exactly what is seen, or why there is none.
    pub(crate) link: Result<String, Beyond>,
    /// Whether the fields say something else, which is wrong.
    pub(crate) wrong: bool,
}

/// Gets to know why a file could not be made, or that it was.
pub(crate) type Told = Callback<Option<String>>;

/// What the browser does for the page: it copies a text, and says whether it could; it keeps a file.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Hands {
    /// Whether the reader wants dark pictures.
    pub(crate) is_dark: bool,
    /// Copies a text, and tells the other whether that was done.
    pub(crate) copy: Callback<(String, Callback<bool>)>,
    /// Keeps a file, and tells the other why it could not be made, if so.
    pub(crate) keep: Callback<(String, Keep, Told)>,
}

/// What sharing is given.
#[derive(Properties, PartialEq)]
pub(super) struct Props {
    /// What is shared.
    pub(super) shared: Shared,
    /// What copies and keeps.
    pub(super) hands: Hands,
}

/// The ways to share and to keep.
#[component]
pub(super) fn Ways(Props { shared, hands }: &Props) -> Html {
    let said = use_state_eq(|| AttrValue::Static(""));
    let preset = shared.preset.and_then(presets::find);
    let text = |title: &'static str, text: String| {
        html! { <Text {title} {text} copy={hands.copy.clone()} said={said.setter()} /> }
    };
    let scenario = &shared.scene.scenario;
    html! {
        <>
            if shared.wrong {
                <p class="note" translate="yes">{ "A field is wrong: this is the last scenario that was right." }</p>
            }
            if let Ok(link) = &shared.link {
                { text("Link", link.clone()) }
                <p class="note" translate="yes">{ "It opens what you see: the scenario, the moment, and the part of the picture." }</p>
                { text("Command", match &shared.many {
                    Some(many) => share::planned(&many.set().to_json()),
                    None => share::command(scenario, preset),
                }) }
                { text("For a page of your own", share::embed(&shared.scene, preset)) }
                <p class="note" translate="yes">
                    { "Put next to your page: " }<a href="umem-split.js" download="">{ "umem-split.js" }</a>
                    { ", a folder " }<code>{ "element" }</code>{ " with " }
                    <a href="element/umem_split.js" download="">{ "umem_split.js" }</a>{ " and " }
                    <a href="element/umem_split_bg.wasm" download="">{ "umem_split_bg.wasm" }</a>
                    { ", and the picture (SVG) below, for readers without JavaScript. The book tells " }
                    <a href="book/embed.html">{ "how to embed" }</a>{ "." }
                </p>
            }
            if let Err(beyond) = shared.link {
                <p class="note" translate="yes">{ untold(beyond) }{ " Keep Scenario (JSON) as a file instead, and open it with \
                    `umem view FILE` or with this page." }</p>
            }
            { files(shared, preset, hands, &said.setter()) }
            <p class="note said" aria-live="polite">{ &*said }</p>
        </>
    }
}

/// Why there is no link.
const fn untold(beyond: Beyond) -> &'static str {
    match beyond {
        Beyond::Capture => "This is a capture of a machine. It is not put into links.",
        Beyond::Listed => {
            "The memory of this set is listed, as captures are. It is not put into links."
        }
        Beyond::Long => "This is too long for a link.",
    }
}

fn files(
    shared: &Shared,
    preset: Option<&Preset>,
    hands: &Hands,
    said: &UseStateSetter<AttrValue>,
) -> Html {
    let name = share::name(preset);
    let file = |ending: &'static str, title: &'static str, make: fn(&Shared) -> Keep| {
        let (shared, keep, said) = (shared.clone(), hands.keep.clone(), said.clone());
        let onclick = Callback::from(move |_: MouseEvent| {
            let file = format!("{name}.{ending}");
            let told = {
                let (said, file) = (said.clone(), file.clone());
                Callback::from(move |problem| {
                    said.set(match problem {
                        None => format!("Saved {file} to your downloads.").into(),
                        Some(problem) => format!("{file} could not be made: {problem}.").into(),
                    });
                })
            };
            keep.emit((file, make(&shared), told));
        });
        html! { <button type="button" {onclick}>{ title }</button> }
    };
    html! {
        <div class="files" role="group" aria-label="Files">
            { file("svg", "Picture (SVG)", if hands.is_dark {
                |shared| Keep::Text("image/svg+xml", share::svg(&shared.pictures, &DARK))
            } else {
                |shared| Keep::Text("image/svg+xml", share::svg(&shared.pictures, &LIGHT))
            }) }
            { file("png", "Picture (PNG)", |shared| Keep::Dots(share::sheet(&shared.pictures))) }
            { file("json", "Scenario (JSON)", |shared| Keep::json(words::pretty(json(shared)))) }
            { file("result.json", "Result (JSON)", |shared| Keep::Result(json(shared))) }
            { file("csv", "Entries (CSV)", |shared| share::csv(&shared.scene).map_or(Keep::TooLong, |csv| Keep::Text("text/csv", csv))) }
        </div>
    }
}

/// The scenario, or the set that it is a registration of.
fn json(shared: &Shared) -> String {
    match &shared.many {
        Some(many) => many.set().to_json(),
        None => shared.scene.scenario.to_json(),
    }
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
    copy: Callback<(String, Callback<bool>)>,
    said: UseStateSetter<AttrValue>,
}

/// A text to copy. Where the browser does not let pages copy, it is selected instead.
#[component]
fn Text(
    TextProps {
        title,
        text,
        copy,
        said,
    }: &TextProps,
) -> Html {
    let area = use_node_ref();
    let onclick = {
        let (text, copy, said, title) = (text.clone(), copy.clone(), said.clone(), *title);
        let area = area.clone();
        Callback::from(move |_: MouseEvent| {
            let (said, area) = (said.clone(), area.clone());
            let told = Callback::from(move |copied| {
                if copied {
                    return said.set(format!("{title}: copied.").into());
                }
                if let Some(area) = area.cast::<web_sys::HtmlTextAreaElement>() {
                    area.select();
                }
                said.set("This browser does not let this page copy. The text is selected: copy it with Ctrl+C.".into());
            });
            copy.emit((text.clone(), told));
        })
    };
    let id = format!("share-{}", title.replace(' ', "-"));
    html! {
        <div class="copy">
            <label for={id.clone()}>{ *title }</label>
            <button type="button" {onclick}>{ "Copy" }<span class="unseen">{ format!(": {title}") }</span></button>
            <textarea {id} ref={area} readonly=true rows={rows(text).to_string()} value={text.clone()} />
        </div>
    }
}
