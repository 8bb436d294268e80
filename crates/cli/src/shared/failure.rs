use std::fmt::Display;
use std::process::ExitCode;

/// Why the command did not end well, by consequence.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A check failed or a block is invalid. The fault was reported already.
    Check,
    /// The data does not suffice to check a block. The missing part was reported already.
    Unchecked,
    /// Bad usage, or input that cannot be read.
    Input(String),
    /// An internal fault.
    Fault(String),
}

impl Failure {
    pub(crate) fn input(error: impl Display) -> Self {
        Self::Input(error.to_string())
    }

    pub(crate) fn fault(error: impl Display) -> Self {
        Self::Fault(error.to_string())
    }

    pub(crate) fn message(&self) -> Option<&str> {
        match self {
            Self::Check | Self::Unchecked => None,
            Self::Input(message) | Self::Fault(message) => Some(message),
        }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Check => 1,
            Self::Unchecked | Self::Input(_) => 2,
            Self::Fault(_) => 3,
        })
    }
}
