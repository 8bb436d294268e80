//! The meaning of an analysis' error to the command.

use super::failure::Failure;
use super::output::complain;
use tandem_analysis::TraceError;

impl From<TraceError> for Failure {
    fn from(error: TraceError) -> Self {
        match error {
            TraceError::Invalid(message) => {
                complain!("error: {message}");
                Self::Check
            }
            TraceError::Unsupported(message) => Self::Input(message),
            TraceError::Fault(message) => Self::Fault(message),
        }
    }
}
