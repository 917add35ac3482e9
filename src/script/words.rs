//! Words that Rhai keeps for itself, where they can only be the name of a field: `event.alert.until`.

use rhai::{Engine, Token};
use std::sync::atomic::{AtomicBool, Ordering};

/// Let a field be called as the JSON of events calls it.
pub(super) fn register(engine: &mut Engine) {
    let after_dot = AtomicBool::new(false);
    #[expect(
        deprecated,
        reason = "it is not, says Rhai, but marked so because it may change"
    )]
    engine.on_parse_token(move |token, _, _| {
        let was_after_dot = after_dot.load(Ordering::Relaxed);
        let is_dot = matches!(token, Token::Period | Token::Elvis);
        after_dot.store(is_dot, Ordering::Relaxed);
        match token {
            Token::Until if was_after_dot => Token::Identifier(Box::new("until".into())),
            other => other,
        }
    });
}
