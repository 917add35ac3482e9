//! How a command ends.

use std::process::ExitCode;

/// The exit codes, those above 64 as in sysexits.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It did what was asked.
    Done,
    /// It did not.
    Failed,
    /// It was not understood.
    Usage,
    /// A controller could not be reached (`EX_UNAVAILABLE`).
    Unavailable,
    /// A login or a permission was refused (`EX_NOPERM`).
    Refused,
    /// The configuration is wrong (`EX_CONFIG`).
    Config,
}

impl Exit {
    /// The number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Unavailable => 69,
            Self::Refused => 77,
            Self::Config => 78,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
