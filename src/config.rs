//! What the user wrote → a checked [`Plan`]; every error names file, line, key and the fix.

mod plan;

pub use plan::*;
