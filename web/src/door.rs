//! Doors: what stands behind one is code that few visitors ask for, and is loaded when one first does.
//!
//! A build with the feature `split` puts whatever is reached through doors alone into a file of its own, beside the page's:
//! `xtask/packer/src/split.rs`. In any other build each door stands open.

use gloo::utils::document;
use std::{cell::Cell, fmt, future::Future, pin::Pin, thread::LocalKey};
use yew::{platform::spawn_local, prelude::*};

/// What code promises that has yet to be loaded.
pub(crate) type Promised<T> = Pin<Box<dyn Future<Output = Option<&'static T>>>>;

/// The way to functions of one kind, `T`.
pub(crate) struct Door<T: 'static> {
    behind: Cell<Option<&'static T>>,
    load: fn() -> Promised<T>,
}

impl<T> fmt::Debug for Door<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = self.behind.get().is_some();
        f.debug_struct("Door")
            .field("open", &open)
            .finish_non_exhaustive()
    }
}

impl<T> Door<T> {
    /// A door that is opened by what loads the code.
    #[cfg(feature = "split")]
    pub(crate) const fn shut(load: fn() -> Promised<T>) -> Self {
        let behind = Cell::new(None);
        Self { behind, load }
    }

    /// A door that stands open.
    #[cfg(not(feature = "split"))]
    pub(crate) const fn open(behind: &'static T) -> Self {
        Self {
            behind: Cell::new(Some(behind)),
            load: || unreachable!("it stands open"),
        }
    }
}

/// Makes a door of this name, and a function that loads what is behind it.
macro_rules! door {
    ($(#[$doc:meta])* $name:ident, $load:ident: $kind:ty = $behind:expr) => {
        thread_local! {
            $(#[$doc])*
            #[cfg(not(feature = "split"))]
            pub(crate) static $name: crate::door::Door<$kind> = const { crate::door::Door::open(&$behind) };
            $(#[$doc])*
            #[cfg(feature = "split")]
            pub(crate) static $name: crate::door::Door<$kind> =
                const { crate::door::Door::shut(|| Box::pin(async { $load().await.ok() })) };
        }

        #[cfg(feature = "split")]
        #[wasm_split_helpers::wasm_split(more, fallible)]
        fn $load() -> Result<&'static $kind, wasm_split_helpers::SplitLoaderError> {
            Ok(&$behind)
        }
    };
}
pub(crate) use door;

/// What is behind `door`, if that was loaded.
pub(crate) fn behind<T>(door: &'static LocalKey<Door<T>>) -> Result<&'static T, &'static str> {
    door.with(|door| door.behind.get()).ok_or(LATER)
}

/// What is said where the code is missing.
const LATER: &str = "the code for this could not be loaded";

/// What is behind `door`, which is loaded if it was not.
///
/// # Errors
/// What to do if it cannot be.
pub(crate) async fn opened<T>(
    door: &'static LocalKey<Door<T>>,
) -> Result<&'static T, &'static str> {
    if let Ok(behind) = behind(door) {
        return Ok(behind);
    }
    tell_awaited(true);
    let loaded = door.with(|door| door.load)().await;
    tell_awaited(false);
    let loaded = loaded.ok_or(LATER)?;
    door.with(|door| door.behind.set(Some(loaded)));
    Ok(loaded)
}

/// Has the page say whether something is on its way: by an attribute that the style sheet knows. `web/page/awaited.js` does so of JavaScript.
fn tell_awaited(is_awaited: bool) {
    if let Some(page) = document().document_element() {
        // It fails for a name that no attribute may have.
        let _ = page.toggle_attribute_with_force("data-awaits", is_awaited);
    }
}

/// What is behind `door`, once it is `wanted` and loaded. Where that fails the window hears of it, and the next time it is tried again.
#[hook]
pub(crate) fn use_door<T: 'static>(
    door: &'static LocalKey<Door<T>>,
    wanted: bool,
) -> Option<&'static T> {
    let again = use_force_update();
    let missing = behind(door).is_err();
    use_effect_with(wanted && missing, move |missing| {
        if *missing {
            spawn_local(async move {
                match opened(door).await {
                    Ok(_) => again.force_update(),
                    Err(problem) => crate::report_away(problem),
                }
            });
        }
    });
    behind(door).ok()
}
