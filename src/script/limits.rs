//! How much a script may use before it is stopped.

use std::time::Duration;

/// Bounds on one script. The defaults leave room for any sensible filter and stop an endless loop in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Operations of one run; an operation is about one node of an expression.
    pub operations: u64,
    /// Longest one run may take.
    pub time: Duration,
    /// How deep functions may call each other. The stack needed grows with this times `nesting`, and the defaults
    /// of both together fit a thread of 2 MiB even without optimisation.
    pub calls: usize,
    /// How deep expressions and blocks may nest.
    pub nesting: usize,
    /// Bytes of text in one value, its parts included.
    pub string: usize,
    /// Elements of one array, those of arrays within it included.
    pub array: usize,
    /// Entries of one map, those of maps within it included.
    pub map: usize,
    /// Variables in scope at once.
    pub variables: usize,
    /// Functions in one file.
    pub functions: usize,
    /// Modules imported by one run.
    pub modules: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            operations: 100_000,
            time: Duration::from_millis(4),
            calls: 8,
            nesting: 32,
            string: 64 * 1024,
            array: 1024,
            map: 512,
            variables: 64,
            functions: 64,
            modules: 16,
        }
    }
}

impl Limits {
    pub(super) fn apply(&self, engine: &mut rhai::Engine) {
        engine
            .set_max_operations(self.operations)
            .set_max_call_levels(self.calls)
            .set_max_expr_depths(self.nesting, self.nesting)
            .set_max_string_size(self.string)
            .set_max_array_size(self.array)
            .set_max_map_size(self.map)
            .set_max_variables(self.variables)
            .set_max_functions(self.functions)
            .set_max_modules(self.modules);
    }
}

/// Largest script file, in bytes.
pub const MAX_FILE: u64 = 256 * 1024;
/// Most events one run may put on the chain.
pub const MAX_EVENTS: usize = 64;
/// Largest `event.fields`, as JSON text in bytes.
pub const MAX_FIELDS: usize = 64 * 1024;
/// How deep a value under `event.fields` may nest.
pub const MAX_FIELDS_DEPTH: usize = 16;
/// Longest regular expression, in bytes.
pub(super) const MAX_PATTERN: usize = 1024;
/// Largest compiled regular expression, in bytes.
pub(super) const MAX_COMPILED: usize = 256 * 1024;
/// Regular expressions and time windows one script keeps compiled.
pub(super) const MAX_CACHED: usize = 64;
