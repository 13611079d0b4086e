//! The story: the mail is quoted word for word, and every chapter shows what it says.

use js_sys::{Array, JSON, Object};
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web::{
    player::Motion,
    scene::Scene,
    state::{Action, State},
    story::{Chapter, Quote, Setting, Story},
};
use yew::Reducible;

wasm_bindgen_test_configure!(run_in_browser);

const STORY: &str = include_str!("../../static/story.json");
const MAIL: &str = include_str!("mail.txt");

fn story() -> Story {
    Story::from_json(STORY).expect("a story")
}

/// Words without the marks of who is quoted by whom.
fn words(text: &str) -> String {
    let words: Vec<&str> = text
        .split_whitespace()
        .filter(|word| word.chars().any(|letter| letter != '>'))
        .collect();
    words.join(" ")
}

fn scenes(chapter: &Chapter) -> impl Iterator<Item = &Setting> {
    let tries = chapter.tries.iter().map(|one| &one.scene);
    [&chapter.scene, &chapter.shows].into_iter().chain(tries)
}

fn status(setting: &Setting) -> String {
    let scenario = Rc::new(setting.scenario().expect("a scenario"));
    Scene::new(&scenario)
        .expect("a right one")
        .registration()
        .status()
}

#[wasm_bindgen_test]
fn the_mail_is_quoted_word_for_word() {
    let mail = words(MAIL);
    for chapter in &story().chapters {
        let quotes = [&chapter.quote, &chapter.quoted];
        let of_the_mail = |quote: &&Quote| quote.source.is_none();
        for quote in quotes.into_iter().flatten().filter(of_the_mail) {
            assert!(mail.contains(&words(&quote.text)), "{}", quote.text);
        }
        let texts = [&chapter.text, &chapter.after, &chapter.truth, &chapter.end];
        let code = texts.into_iter().flatten();
        for code in code.filter_map(|text| text.strip_prefix("```")) {
            assert!(mail.contains(&words(code)), "{code}");
        }
    }
}

/// Every field that a story has.
const FIELDS: [&str; 23] = [
    "source", "chapters", "title", "url", "text", "quote", "after", "scene", "ask", "choices",
    "shows", "truth", "quoted", "end", "tries", "who", "reply", "right", "preset", "scenario",
    "with", "at", "to",
];

fn fields(value: &JsValue, found: &mut Vec<String>) {
    if Array::is_array(value) {
        for item in Array::from(value) {
            fields(&item, found);
        }
    } else if let Some(object) = value.dyn_ref::<Object>() {
        for entry in Object::entries(object) {
            let entry = Array::from(&entry);
            let name = entry.get(0).as_string().expect("a name");
            // A scenario says itself what is wrong with it.
            if !["scenario", "with"].contains(&name.as_str()) {
                fields(&entry.get(1), found);
            }
            found.push(name);
        }
    }
}

#[wasm_bindgen_test]
fn nothing_in_the_story_is_passed_over() {
    let mut found = Vec::new();
    fields(&JSON::parse(STORY).expect("JSON"), &mut found);
    found.retain(|name| !FIELDS.contains(&name.as_str()));
    assert_eq!(found, Vec::<String>::new());
}

#[wasm_bindgen_test]
fn what_is_wrong_with_a_story_is_said() {
    for (from, to, says) in [
        ("{", "", "is not JSON"),
        ("\"ask\"", "\"asks\"", "\"ask\" is missing"),
        (
            "\"tries\": [",
            "\"tries\": 1, \"x\": [",
            "\"tries\" is missing",
        ),
        (
            "\"at\": \"pin\"",
            "\"at\": \"pn\"",
            "\"pn\" is not the name",
        ),
        (
            "\"version\": 1",
            "\"version\": []",
            "version: is a list, and must be an integer",
        ),
    ] {
        let wrong = STORY.replacen(from, to, 1);
        assert_ne!(wrong, STORY);
        let error = Story::from_json(&wrong).expect_err("wrong");
        assert!(error.contains(says), "{error}");
    }
}

#[wasm_bindgen_test]
fn every_chapter_asks_a_question_with_one_right_answer() {
    let story = story();
    assert_eq!(story.chapters.len(), 16);
    for chapter in &story.chapters {
        let right = chapter.choices.iter().filter(|choice| choice.right).count();
        assert_eq!(right, 1, "{}", chapter.title);
        for setting in scenes(chapter) {
            assert!(!status(setting).is_empty());
        }
    }
}

#[wasm_bindgen_test]
fn the_right_answer_stands_anywhere() {
    let story = story();
    let places = story.chapters.iter().map(|chapter| {
        let right = chapter.choices.iter().position(|choice| choice.right);
        right.expect("there is one")
    });
    let mut counts = [0; 3];
    places.for_each(|place| counts[place] += 1);
    assert!(counts.iter().all(|count| *count >= 4), "{counts:?}");
}

#[wasm_bindgen_test]
fn what_the_chapters_say_is_what_the_core_says() {
    let shown: Vec<String> = story()
        .chapters
        .iter()
        .map(|chapter| status(&chapter.shows))
        .collect();
    let told = [
        "16777216 entries: 16777216 × 4K",
        "257 entries: 255 × 4K + 1 × 1M + 1 × 2M",
        "262144 entries: 262144 × 4K",
        "2 entries: 1 × 1M + 1 × 2M",
        "257 entries: 255 × 4K + 1 × 1M + 1 × 2M",
        "257 entries: 255 × 4K + 1 × 1M + 1 × 2M",
        "257 entries: 255 × 4K + 1 × 1M + 1 × 2M",
        "258 entries: 256 × 4K + 1 × 1M + 1 × 2M",
        "257 entries: 255 × 4K + 1 × 1M + 1 × 2M",
        "1023 entries: 1023 × 4K",
        "256 entries: 256 × 4K",
        "4096 entries: 4096 × 4K",
        "2097152 entries: 2097152 × 4K",
        "refused at memlock (ENOMEM): the limit on locked memory is 8M, what is pinned already is not said, and the region takes 8G \
         (2097152 pages): each region counts in full, and on each device again",
        "64 entries: 64 × 1G",
        "2 entries: 2 × 2M",
    ];
    assert_eq!(shown, told);
}

fn after(state: Rc<State>, actions: impl IntoIterator<Item = Action>) -> Rc<State> {
    actions
        .into_iter()
        .fold(state, |state, action| state.reduce(action))
}

#[wasm_bindgen_test]
fn a_chapter_gives_nothing_away_before_the_reader_predicts() {
    let opened = Rc::new(State::opened("#story=5"));
    assert!(opened.veiled());
    let told = after(opened, [Action::Told(Rc::new(story()))]);
    assert!(told.veiled());
    assert_eq!(told.fragment.as_deref(), Some("story=5"));
    assert!(told.player.moment < told.here.scene.last());
    let predicted = after(told.clone(), [Action::Predict(0)]);
    assert!(predicted.player.playing && !predicted.veiled());
    // Who plays by themselves has seen it.
    assert!(!after(told, [Action::Move(Motion::Toggle)]).veiled());
}

#[wasm_bindgen_test]
fn what_is_tried_in_a_chapter_is_in_the_address() {
    let told = after(
        Rc::new(State::opened("#story=4")),
        [Action::Told(Rc::new(story())), Action::Length("2M".into())],
    );
    let fragment = told.fragment.clone().expect("a fragment");
    assert!(fragment.starts_with("story=4&s="), "{fragment}");
    let again = after(
        Rc::new(State::opened(&format!("#{fragment}"))),
        [Action::Told(Rc::new(story()))],
    );
    assert_eq!(again.here.draft, told.here.draft);
    assert_eq!(again.fragment, told.fragment);
    assert!(after(again, [Action::Leave]).tour.is_none());
}

#[wasm_bindgen_test]
fn the_story_ends_where_it_ends() {
    let state = after(
        Rc::new(State::opened("#story=99")),
        [Action::Told(Rc::new(story()))],
    );
    assert_eq!(state.fragment.as_deref(), Some("story=16"));
    let state = after(state, [Action::Chapter(0)]);
    assert_eq!(state.fragment.as_deref(), Some("story=1"));
}
