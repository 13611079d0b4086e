//! Help: what the page is, and the keys.

use crate::figure::KEYS;
use yew::prelude::*;

/// What the page adds to the picture's keys.
const MORE: [(&str, &str); 2] = [("?", "this list"), ("Esc", "close it")];

/// The help.
pub(super) fn keys() -> Html {
    html! {
        <>
            <p class="note" translate="yes">{ "They work while the picture has the focus: click it, or reach it with Tab. ? works everywhere but in fields." }</p>
            <dl class="keys">
                { for KEYS.iter().chain(&MORE).map(|(key, what)| html! { <div><dt><kbd>{ *key }</kbd></dt><dd>{ *what }</dd></div> }) }
            </dl>
            <p class="note" translate="yes">{ "Ctrl and the wheel zoom, Shift and the wheel or a drag move the picture; on a touch screen, two \
                fingers and one. A click or a tap on an entry puts the lens there." }</p>
            <h2>{ "What is seen" }</h2>
            <p class="note" translate="yes">{ "Five lanes on one axis, from the program's memory to the table in the card; each box is linked to its \
                source above. The larger a page, the more its colour stands out from the ground. The lens at the bottom magnifies a dozen entries, and the panel \
                below it tells why the one in the frame has its size." }</p>
            <p class="note" translate="yes">{ "Files that you open are read by this page and nobody else: nothing leaves your browser." }</p>
        </>
    }
}
