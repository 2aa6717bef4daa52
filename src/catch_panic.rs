//! Catches panics of libraries over other people's data.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
}

static HOOK: Once = Once::new();

/// Runs the work, and returns the message of its panic, which is not reported as a bug of this
/// program. For libraries that panic on malformed data, on the calling thread.
///
/// # Errors
/// The message of the panic.
pub fn catch_panic<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    HOOK.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !CATCHING.get() {
                report(panic);
            }
        }));
    });
    let before = CATCHING.replace(true);
    // Nothing that the work borrowed is used after a panic.
    let done = panic::catch_unwind(AssertUnwindSafe(work));
    CATCHING.set(before);
    done.map_err(|payload| words(payload.as_ref()))
}

fn words(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error() {
        assert_eq!(catch_panic(|| 7), Ok(7));
        assert_eq!(catch_panic(|| panic!("no {}", "good")).map(|()| 0), Err("no good".to_owned()));
        assert_eq!(catch_panic(|| panic!("plain")).map(|()| 0), Err("plain".to_owned()));
        assert!(!CATCHING.get());
    }
}
