use super::failure::Failure;

/// Checks that a number is not zero.
pub(crate) fn positive(option: &str, value: usize) -> Result<usize, Failure> {
    match value {
        0 => Err(Failure::Input(format!("--{option} must be at least 1"))),
        _ => Ok(value),
    }
}
