//! Scenarios: whatever reads, writes as the same; whatever resolves and is short, has an answer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use umem_core::{
    advice::advice, diagram, exhibits::exhibits, registration::Registration, scenario::Scenario,
};

fuzz_target!(|json: &[u8]| {
    let Ok(scenario) = Scenario::from_json(json) else {
        return;
    };
    assert_eq!(
        Scenario::from_json(scenario.to_json().as_bytes()).as_ref(),
        Ok(&scenario)
    );
    // Work goes with the number of runs, so only that is bounded.
    let Ok(question) = scenario.resolve() else {
        return;
    };
    if question.mr().pages() > 1 << 12 || question.memory().length() > 1 << 40 {
        return;
    }
    let index = Registration::of(question).index();
    let registration = index.registration();
    let steps = diagram::Steps::new(&index).count();
    let view = diagram::View::whole(registration, 800.0);
    for moment in [0.0, 0.5, steps as f64] {
        diagram::draw(&index, view, moment, diagram::Attention::default());
    }
    if registration.pages() < 1 << 8 {
        advice(registration);
        exhibits(registration);
    }
});
