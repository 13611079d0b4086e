//! Scenarios: whatever reads, writes as the same; whatever resolves and is short, has an answer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use umem_core::{diagram, registration::Registration, scenario::Scenario};

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
    if question.mr.pages() > 1 << 12 || question.memory.length() > 1 << 40 {
        return;
    }
    let registration = Registration::of(question);
    let index = registration.index();
    let steps = diagram::Steps::new(&registration, &index);
    let view = diagram::View::whole(&registration, 800.0);
    for moment in [0.0, 0.5, steps.count() as f64] {
        diagram::draw(&registration, &index, &steps, view, moment);
    }
    if registration.pages() < 1 << 8 {
        registration.advice(&scenario);
        registration.exhibits();
    }
});
