//! The device: which sizes its entries may have, and how its table is cut.

use super::{Props, message};
use crate::{
    edit,
    state::{Action, Field, Sends},
    widgets::{
        order,
        select::{Choice, Select},
    },
    words::policy as title,
};
use umem_core::{
    device::{CATALOGUE, find},
    scenario::DeviceSpec,
    size::{PageSize, PageSizes},
    table::Policy,
};
use yew::prelude::*;

/// 4K, 16K, 64K, 1M, 2M, 32M and 1G: what is offered to every device.
const OFFERED: PageSizes =
    PageSizes::from_bits(1 << 12 | 1 << 14 | 1 << 16 | 1 << 20 | 1 << 21 | 1 << 25 | 1 << 30);

pub(super) fn device(props: &Props) -> Html {
    let choices: Vec<_> = CATALOGUE
        .iter()
        .map(|profile| {
            Choice::new(
                profile.name,
                format!("{} ({})", profile.name, profile.title),
            )
        })
        .collect();
    let (chosen, custom) = match &props.draft.device {
        DeviceSpec::Name(name) => (Some(name.clone()), String::new()),
        DeviceSpec::Custom(object) => (
            None,
            match &object.name {
                Some(name) => format!("{name}, changed"),
                None => "Custom".into(),
            },
        ),
    };
    let onchange = {
        let dispatch = props.dispatch.clone();
        Callback::from(move |name| dispatch.dispatch(Action::Device(name)))
    };
    html! {
        <section>
            <Select label="Device" heads=true {choices} chosen={chosen.clone()} {custom} fault={props.fault(Field::Device)} {onchange} />
            { sizes(props) }
            { policies(props) }
            if let Some((profile, traits)) = chosen.as_deref().and_then(find).map(|profile| (profile, profile.traits(props.draft.kernel.based_on()))) {
                <details class="note">
                    <summary>{ format!("About {}", profile.name) }</summary>
                    <p>{ format!("Its table: {}, {} bytes an entry.", profile.table, traits.entry_bytes) }</p>
                    if let Some(assumed) = traits.assumed {
                        <p>{ format!("Assumed: {assumed}.") }</p>
                    }
                    <p>{ format!("Source: {}.", traits.source) }</p>
                </details>
            }
        </section>
    }
}

fn sizes(props: &Props) -> Html {
    let on = edit::device_sizes(&props.draft);
    let shown = PageSizes::from_bits(OFFERED.bits() | on.bits());
    let fault = props.fault(Field::Sizes);
    let invalid = fault.is_some().then_some("true");
    let describedby = fault.is_some().then_some("sizes-fault");
    let chip = |size: PageSize| {
        let pressed = on.contains(size);
        html! {
            <button
                type="button"
                class={classes!("chip", pressed.then(|| order(size)))}
                aria-pressed={if pressed { "true" } else { "false" }}
                aria-describedby={describedby}
                onclick={props.dispatch.on(Action::Size(size))}
            >
                { size.to_string() }
            </button>
        }
    };
    html! {
        <div class="sizes" role="group" aria-label="Device page sizes" aria-invalid={invalid} aria-describedby={describedby}>
            <p class="legend" aria-hidden="true">{ "Device page sizes" }</p>
            <div class="chips">{ for shown.iter().map(chip) }</div>
            { message("sizes-fault", fault.as_ref()) }
        </div>
    }
}

fn policies(props: &Props) -> Html {
    let present = edit::policy(&props.draft);
    let radio = |policy: Policy| {
        html! {
            <label>
                <input
                    type="radio"
                    name="policy"
                    value={policy.name()}
                    checked={policy == present}
                    onchange={props.dispatch.on(Action::Policy(policy))}
                />
                <span>{ title(policy) }</span>
            </label>
        }
    };
    html! {
        <fieldset class="segments">
            <legend>{ "Policy" }</legend>
            <div>{ for Policy::ALL.into_iter().map(radio) }</div>
        </fieldset>
    }
}
