//! A set: which of its registrations is seen, what all take together, and the device's budget.

use super::totals::status;
use crate::{
    many::Many,
    state::{Action, Dispatch},
    widgets::select::{Choice, Select},
    words::{count, grouped, sentence},
};
use std::rc::Rc;
use umem_core::set::{Member, Set, SetAdvice};
use web_sys::HtmlElement;
use yew::prelude::*;

/// The set: its status, its numbers, and what would help it as a whole.
pub(super) fn set(many: &Rc<Many>, dispatch: &Dispatch) -> Html {
    html! { <Whole many={many.clone()} dispatch={dispatch.clone()} /> }
}

#[component]
fn Whole(Props { many, dispatch }: &Props) -> Html {
    let heading = use_node_ref();
    let onapply = {
        let (heading, dispatch) = (heading.clone(), dispatch.clone());
        Callback::from(move |set| {
            // The button that was pressed may be gone with the advice.
            if let Some(heading) = heading.cast::<HtmlElement>() {
                // What is gone cannot be focused, and nothing is lost by it.
                let _ = heading.focus();
            }
            dispatch.dispatch(Action::LoadSet(set, None));
        })
    };
    html! {
        <>
            <section class="set">
                <h2 ref={heading} tabindex="-1">{ many.set().name.clone().unwrap_or_else(|| "All regions".into()) }</h2>
                { status(&many.plan.status(), many.plan.refusal().is_none()) }
                <Regions many={many.clone()} dispatch={dispatch.clone()} />
            </section>
            <SetAdvices many={many.clone()} {onapply} />
        </>
    }
}

#[derive(Properties, PartialEq)]
struct Props {
    many: Rc<Many>,
    dispatch: Dispatch,
}

/// What all registrations take together.
#[component]
fn Regions(Props { many, dispatch }: &Props) -> Html {
    let members = many.set().registrations.iter().enumerate();
    let choices: Vec<_> = members
        .map(|(i, member)| Choice::new((i + 1).to_string(), named(i, member)))
        .collect();
    let onchange = {
        let dispatch = dispatch.clone();
        Callback::from(move |number: String| {
            if let Some(number) = number.parse().ok().and_then(|n: usize| n.checked_sub(1)) {
                dispatch.dispatch(Action::Registration(number));
            }
        })
    };
    let total = many.plan.total();
    let row = |name: &'static str, number: u64| html! { <div><dt>{ name }</dt><dd>{ grouped(number) }</dd></div> };
    html! {
        <>
            <dl class="numbers">
                { row("regions", total.regions) }
                { row("pages", total.pages) }
                { row("entries", total.entries) }
                { row("bytes of tables", total.memory) }
            </dl>
            { budget(many) }
            if let Some(refusal) = many.plan.refusal() {
                <p class="bug">
                    <b>{ format!("Refused at region {}. ", grouped(refusal.region)) }</b>
                    if let Some(way_out) = &refusal.answer.way_out {
                        { "What to do: " }{ way_out }{ "." }
                    }
                </p>
            }
            <Select
                label="Registration"
                {choices}
                chosen={Some((many.seen + 1).to_string())}
                {onchange}
            />
        </>
    }
}

/// "2: weights, 4M, 548 of them".
fn named(i: usize, member: &Member) -> String {
    let name = member.name.as_ref().map(|name| format!("{name}, "));
    let many = match member.count {
        1 => String::new(),
        many => format!(", {} of them", grouped(many)),
    };
    format!(
        "{}: {}{}{many}",
        i + 1,
        name.unwrap_or_default(),
        member.region.length
    )
}

/// The entries that the device keeps of all regions, if a limit is known, and how many of them the set takes.
fn budget(many: &Many) -> Html {
    let entries = many.plan.total().entries;
    let Some(most) = many.plan.budget() else {
        return html! {
            <p class="note">{ "Table budget: no limit on all regions of this device together is known." }</p>
        };
    };
    let text = format!(
        "{} of {}",
        grouped(entries),
        count(most, "entry", "entries")
    );
    let over = (entries > most).then_some("over");
    html! {
        <div class={classes!("budget", over)}>
            <p aria-hidden="true"><span>{ "Table budget" }</span><span>{ &text }</span></p>
            <meter
                aria-label="Table budget"
                aria-valuetext={text}
                min="0"
                max={most.to_string()}
                value={entries.min(most).to_string()}
            />
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct AdvicesProps {
    many: Rc<Many>,
    /// Where "Try it" goes.
    onapply: Callback<Box<Set>>,
}

/// What would help the set as a whole.
#[component]
fn SetAdvices(AdvicesProps { many, onapply }: &AdvicesProps) -> Html {
    let advice = use_memo(many.clone(), |many| many.plan.advice());
    if advice.is_empty() {
        return Html::default();
    }
    html! {
        <section>
            <h2>{ "What would help" }</h2>
            { for advice.iter().enumerate().map(|(i, advice)| piece(i, advice, onapply)) }
        </section>
    }
}

fn piece(number: usize, advice: &SetAdvice, onapply: &Callback<Box<Set>>) -> Html {
    let id = format!("set-advice-{number}");
    let (before, after) = (&advice.before, &advice.after);
    let refused = |at: Option<u64>| match at {
        Some(region) => format!(", refused at region {}", grouped(region)),
        None => String::new(),
    };
    let gain = format!(
        "{} → {} entries{}",
        grouped(before.entries),
        grouped(after.entries),
        refused(after.refused_at)
    );
    let set = Box::new(advice.set.clone());
    html! {
        <div class="advice">
            <p id={id.clone()}>{ sentence(&advice.change) }{ " " }<b>{ gain }</b></p>
            <p class="note">{ sentence(&advice.cost) }</p>
            <button type="button" aria-describedby={id} onclick={onapply.reform(move |_| set.clone())}>{ "Try it" }</button>
        </div>
    }
}
