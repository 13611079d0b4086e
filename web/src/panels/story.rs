//! The story's chapter: its text, its question, and what comes of it.

use crate::{
    state::{Action, Dispatch, Sends},
    story::{Chapter, Choice, Story, Tour},
    widgets::{
        prose::{paragraphs, quote, span, told},
        select::{Choice as Named, Select},
    },
};
use gloo::utils::document;
use std::rc::Rc;
use web_sys::{HtmlElement, ScrollIntoViewOptions, ScrollLogicalPosition};
use yew::prelude::*;

/// What the story is given.
#[derive(Properties, PartialEq)]
pub(super) struct Props {
    /// Where the reader is.
    pub(super) tour: Tour,
    /// Where presses go.
    pub(super) dispatch: Dispatch,
}

/// The story, open at a chapter.
#[component]
pub(super) fn StoryPanel(Props { tour, dispatch }: &Props) -> Html {
    let heading = use_node_ref();
    // Who turns the page reads on from its top, whatever they see or hear it with.
    use_effect_with(
        (heading.clone(), tour.chapter, tour.story.is_some()),
        |(heading, _, told)| {
            if let Some(heading) = heading.cast::<HtmlElement>().filter(|_| *told) {
                // What is gone cannot be focused, and nothing is lost by it.
                let _ = heading.focus();
            }
        },
    );
    // On a small screen the picture may be out of sight when it begins to play.
    use_effect_with(tour.picked.is_some(), |answered| {
        let picture = document().query_selector("umem-split").ok().flatten();
        if let Some(picture) = picture.filter(|_| *answered) {
            let options = ScrollIntoViewOptions::new();
            options.set_block(ScrollLogicalPosition::Nearest);
            picture.scroll_into_view_with_scroll_into_view_options(&options);
        }
    });
    let (Some(story), Some(chapter)) = (&tour.story, tour.chapter()) else {
        return html! { <section class="story"><p class="note">{ "Opening the story…" }</p></section> };
    };
    html! {
        <section class="story" aria-labelledby="chapter">
            { place(tour, story, dispatch) }
            <h2 id="chapter" ref={heading} tabindex="-1">{ span(&chapter.title) }</h2>
            { paragraphs(&chapter.text) }
            { quote(chapter.quote.as_ref(), &story.source) }
            { paragraphs(&chapter.after) }
            { question(tour, chapter, dispatch) }
            <div class="truth" aria-live="polite">
                if let Some(choice) = tour.picked.and_then(|picked| chapter.choices.get(picked)) {
                    { truth(story, chapter, choice) }
                }
            </div>
            <div class="onward">{ onward(tour, dispatch) }</div>
        </section>
    }
}

/// What follows a chapter. On a phone it stands after the picture, and a keyboard must reach it there: so the page has it twice,
/// and the style sheet shows one of them.
pub(super) fn onward(tour: &Tour, dispatch: &Dispatch) -> Html {
    let (Some(story), Some(chapter)) = (&tour.story, tour.chapter()) else {
        return Html::default();
    };
    html! {
        <>
            if tour.picked.is_some() {
                { tries(chapter, dispatch) }
            }
            { turn(tour, story, dispatch) }
        </>
    }
}

/// Where in the story this is, and the way out.
fn place(tour: &Tour, story: &Story, dispatch: &Dispatch) -> Html {
    let choices: Vec<_> = (1..)
        .zip(&story.chapters)
        .map(|(n, chapter)| Named::new(n.to_string(), format!("{n}. {}", chapter.title)))
        .collect();
    let onchange = {
        let dispatch = dispatch.clone();
        Callback::from(move |number: String| {
            if let Ok(number) = number.parse::<usize>() {
                dispatch.dispatch(Action::Chapter(number.saturating_sub(1)));
            }
        })
    };
    html! {
        <div class="place">
            <Select label="Chapter" {choices} chosen={Some((tour.chapter + 1).to_string())} {onchange} />
            <button type="button" onclick={dispatch.on(Action::Leave)}>{ "Close the story" }</button>
        </div>
    }
}

fn question(tour: &Tour, chapter: &Chapter, dispatch: &Dispatch) -> Html {
    let answered = tour.picked.is_some();
    let choice = |(i, choice): (usize, &Choice)| {
        let picked = tour.picked == Some(i);
        let mark = match (answered, choice.right, picked) {
            (true, true, _) => Some("✓ right"),
            (true, false, true) => Some("your answer"),
            _ => None,
        };
        html! {
            <li>
                <button
                    type="button"
                    class={classes!("choice", (answered && choice.right).then_some("right"))}
                    aria-pressed={if picked { "true" } else { "false" }}
                    onclick={dispatch.on(Action::Predict(i))}
                >
                    { span(&choice.text) }
                    if let Some(mark) = mark {
                        { " " }<b>{ mark }</b>
                    }
                </button>
            </li>
        }
    };
    html! {
        <div class="ask" role="group" aria-labelledby="question">
            <p id="question">{ span(&chapter.ask) }</p>
            <ul>{ for chapter.choices.iter().enumerate().map(choice) }</ul>
            if !answered {
                { told("note", "Predict, and the page plays what happens.") }
            }
        </div>
    }
}

fn truth(story: &Story, chapter: &Chapter, choice: &Choice) -> Html {
    html! {
        <>
            { told("reply", &choice.reply) }
            { paragraphs(&chapter.truth) }
            { quote(chapter.quoted.as_ref(), &story.source) }
            { paragraphs(&chapter.end) }
        </>
    }
}

fn tries(chapter: &Chapter, dispatch: &Dispatch) -> Html {
    let again = dispatch.on(Action::Set(Box::new(chapter.shows.clone())));
    html! {
        <div class="tries" role="group" aria-label="Try">
            <button type="button" onclick={again}>{ "See it again" }</button>
            { for chapter.tries.iter().map(|one| html! {
                <button type="button" onclick={dispatch.on(Action::Set(Box::new(one.scene.clone())))}>{ &one.text }</button>
            }) }
        </div>
    }
}

/// On to the next chapter, and back.
fn turn(tour: &Tour, story: &Rc<Story>, dispatch: &Dispatch) -> Html {
    let next = story.chapters.get(tour.chapter + 1);
    html! {
        <nav class="turn" aria-label="Chapters">
            if let Some(previous) = tour.chapter.checked_sub(1) {
                <button type="button" onclick={dispatch.on(Action::Chapter(previous))}>{ "Previous chapter" }</button>
            }
            if let Some(next) = next {
                <button type="button" class="primary" onclick={dispatch.on(Action::Chapter(tour.chapter + 1))}>
                    { "Next chapter" }<span class="unseen">{ format!(": {}", next.title) }</span>
                </button>
            } else {
                <button type="button" class="primary" onclick={dispatch.on(Action::Leave)}>{ "Explore by yourself" }</button>
            }
        </nav>
    }
}
