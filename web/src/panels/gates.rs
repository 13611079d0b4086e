//! The gates: what can stop the region, each with its answer, the way out, and who says so.

use crate::{scene::Scene, words::sentence};
use umem_core::gate::{GateAnswer, Verdict};
use yew::prelude::*;

/// What each gate answers; the one that refuses is open.
pub(super) fn gates(scene: &Scene) -> Html {
    html! {
        <section>
            <h2>{ "Gates" }</h2>
            <ul class="gates" role="list" aria-label="Gates">
                { for scene.gates().iter().map(gate) }
            </ul>
        </section>
    }
}

fn gate(answer: &GateAnswer) -> Html {
    let (class, verdict) = match (answer.verdict, answer.errno) {
        (Verdict::Pass, _) => ("", "passed".into()),
        (Verdict::Unknown, _) => ("unknown", "not known".into()),
        (Verdict::Refuse, Some(errno)) => ("refused", format!("refused: {errno}")),
        (Verdict::Refuse, None) => ("refused", "stopped".into()),
    };
    let way_out = answer
        .way_out
        .as_ref()
        .filter(|way_out| !way_out.is_empty());
    let label = match answer.verdict {
        Verdict::Unknown => "How to find out: ",
        _ => "What to do: ",
    };
    let name = answer.gate.name();
    html! {
        <li key={format!("{name}{verdict}")} {class}>
            <details open={answer.refuses()}>
                <summary><b>{ name }</b>{ " " }<span>{ verdict }</span></summary>
                <p>{ format!("{}.", sentence(&answer.text)) }</p>
                if let Some(way_out) = way_out {
                    <p>{ label }{ way_out }{ "." }</p>
                }
                <p class="note">{ answer.by.name() }{ ": " }{ &*answer.source }</p>
            </details>
        </li>
    }
}
