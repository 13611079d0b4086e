//! Each case is asked, and its answer held.

use serde::Deserialize;
use umem_core::{
    advice::advice,
    gate::{Errno, Gate, Verdict},
    registration::Registration,
    scenario::Asked,
    set::SetPlan,
};

use super::{Question, all, find};

/// What an answer must have; what is left out is not held.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Answer {
    table: Option<String>,
    entries: Option<u64>,
    code: Option<String>,
    gate: Option<String>,
    errno: Option<String>,
    region: Option<u64>,
    advice: Vec<String>,
    unknown: Vec<String>,
    pages: Option<u64>,
    scatter: Option<u64>,
    dma: Option<u64>,
    table_bytes: Option<u64>,
    kernel_bug: Option<String>,
}

/// What differs from the answer.
struct Held<'a> {
    place: &'a str,
    wrong: Vec<String>,
}

impl Held<'_> {
    fn equal<T: PartialEq + std::fmt::Debug>(
        &mut self,
        what: &str,
        wanted: Option<T>,
        got: Option<T>,
    ) {
        if wanted.is_some() && wanted != got {
            self.wrong
                .push(format!("{}: {what} is {got:?}, not {wanted:?}", self.place));
        }
    }

    fn begins(&mut self, wanted: &[String], got: &[String]) {
        for wanted in wanted {
            if !got.iter().any(|got| got.starts_with(wanted.as_str())) {
                self.wrong.push(format!(
                    "{}: no advice begins with {wanted:?}: {got:?}",
                    self.place
                ));
            }
        }
    }
}

fn scenario(held: &mut Held<'_>, answer: Answer, registration: &Registration) {
    let table = registration.table();
    let refusal = table.err();
    let tally = table.ok().map(|table| table.tally.to_string());
    let sizes = tally.and_then(|tally| Some(tally.split_once(": ")?.1.to_owned()));
    held.equal("the table", answer.table, sizes);
    held.equal(
        "the rule",
        answer.code,
        refusal.map(|refusal| refusal.code().into()),
    );
    let gate = refusal.and_then(|refusal| refusal.gate());
    held.equal("the gate", answer.gate, gate.map(|gate| gate.name().into()));
    let errno = refusal.and_then(|refusal| refusal.errno());
    held.equal(
        "errno",
        answer.errno,
        errno.map(|errno| errno.name().into()),
    );
    held.equal(
        "the number of pages",
        answer.pages,
        Some(registration.pages()),
    );
    held.equal(
        "the SG list",
        answer.scatter,
        Some(registration.scatter_count()),
    );
    held.equal("the DMA list", answer.dma, registration.dma_count().ok());
    let bytes = table.ok().map(|table| table.memory.bytes);
    held.equal("the table's memory", answer.table_bytes, bytes);
    if let Some(words) = answer.kernel_bug {
        let bug = table.ok().and_then(|table| table.kernel_bug.as_ref());
        let bug = bug.map(ToString::to_string).unwrap_or_default();
        held.equal(
            "that the bug is told",
            Some(true),
            Some(bug.contains(&words)),
        );
    }
    let gates = registration.gates();
    let unknown: Vec<&str> = gates
        .iter()
        .filter(|gate| gate.verdict == Verdict::Unknown)
        .map(|gate| gate.gate.name())
        .collect();
    for name in &answer.unknown {
        held.equal(
            "that it is not known",
            Some(true),
            Some(unknown.contains(&name.as_str())),
        );
    }
    if !answer.advice.is_empty() {
        let changes: Vec<String> = advice(registration)
            .into_iter()
            .map(|advice| advice.change)
            .collect();
        held.begins(&answer.advice, &changes);
    }
}

fn set(held: &mut Held<'_>, answer: Answer, plan: &SetPlan) {
    held.equal(
        "the number of entries",
        answer.entries,
        Some(plan.total().entries),
    );
    let refusal = plan.refusal();
    held.equal(
        "the region",
        answer.region,
        refusal.map(|refusal| refusal.region),
    );
    let answered = refusal.map(|refusal| &refusal.answer);
    let code = answered.and_then(|answered| answered.code);
    held.equal("the rule", answer.code.as_deref(), code);
    held.equal(
        "the gate",
        answer.gate.as_deref(),
        answered.map(|answered| answered.gate.name()),
    );
    let errno = answered.and_then(|answered| answered.errno);
    held.equal("errno", answer.errno.as_deref(), errno.map(Errno::name));
    // A set that is not to be refused is not.
    held.equal(
        "whether it is refused",
        Some(answer.gate.is_some()),
        Some(refusal.is_some()),
    );
    if !answer.advice.is_empty() {
        let changes: Vec<String> = plan
            .advice()
            .into_iter()
            .map(|advice| advice.change)
            .collect();
        held.begins(&answer.advice, &changes);
    }
}

fn differences(place: &str, question: &Question) -> Vec<String> {
    let answer: Answer = serde_json::from_value(question.answer.clone())
        .unwrap_or_else(|error| panic!("{place}: {error}"));
    assert_ne!(
        question.answer,
        serde_json::json!({}),
        "{place}: nothing is held"
    );
    let gates: Vec<&str> = Gate::ALL.iter().map(|gate| gate.name()).collect();
    for gate in answer.gate.iter().chain(&answer.unknown) {
        assert!(
            gates.contains(&gate.as_str()),
            "{place}: there is no gate {gate}"
        );
    }
    let mut held = Held {
        place,
        wrong: Vec::new(),
    };
    match question
        .asked()
        .unwrap_or_else(|error| panic!("{place}: {error}"))
    {
        Asked::Scenario(asked) => scenario(&mut held, answer, &Registration::new(&asked).unwrap()),
        Asked::Set(asked) => set(&mut held, answer, &asked.plan().unwrap()),
    }
    held.wrong
}

#[test]
fn every_case_answers_as_it_says() {
    let cases = all().unwrap();
    assert!(cases.len() >= 30, "{} cases", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        for question in &case.asked {
            let place = format!("{}, {}", case.name, question.title);
            wrong.extend(differences(&place, question));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_case_is_whole() {
    for case in all().unwrap() {
        let file = format!("{}.json", case.name);
        assert!(
            super::FILES.get_file(&file).is_some(),
            "{file} holds {}",
            case.name
        );
        assert_eq!(case.version, 1, "{file}");
        assert!(
            !case.errors.is_empty() && !case.source.is_empty() && !case.asked.is_empty(),
            "{file}"
        );
        for link in case.source.iter().filter_map(|link| link.url.as_deref()) {
            assert!(link.starts_with("https://"), "{file}: {link}");
        }
        for question in &case.asked {
            assert_ne!(
                question.scenario.is_some(),
                question.set.is_some(),
                "{file}: {}",
                question.title
            );
        }
    }
}

#[test]
fn a_question_is_found_by_name_and_number() {
    assert_eq!(
        find("rccl-548-regions:3").unwrap().status().unwrap(),
        "2 entries: 2 × 2M"
    );
    for (name, word) in [
        ("no-such", "umem list cases"),
        ("rccl-548-regions:4", "1 to 3"),
        ("rccl-548-regions:x", "1 to 3"),
        ("rccl-548-regions:0", "1 to 3"),
    ] {
        let error = find(name).unwrap_err().to_string();
        assert!(error.contains(word), "{name}: {error}");
    }
}

/// A wrong answer is found: the check can fail.
#[test]
fn what_differs_is_told() {
    let mut question = find("rccl-548-regions:3").unwrap();
    for (answer, words) in [
        (r#"{"table":"3 × 2M"}"#, "2 × 2M"),
        (r#"{"gate":"pin"}"#, "the gate"),
        (r#"{"advice":["pray"]}"#, "pray"),
        (r#"{"unknown":["gather"]}"#, "not known"),
    ] {
        question.answer = serde_json::from_str(answer).unwrap();
        let wrong = differences("it", &question);
        assert!(
            wrong.len() == 1 && wrong[0].contains(words),
            "{answer}: {wrong:?}"
        );
    }
}
