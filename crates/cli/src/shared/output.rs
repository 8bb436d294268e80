//! Where results and complaints go. A reader that is gone has seen enough; a disk that is full is a fault.

use super::failure::Failure;
use serde::Serialize;
use std::fmt::Arguments;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::sync::OnceLock;

/// Why a line that was printed by itself is lost, if one is.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// Writes results to standard output.
pub(crate) fn results(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    let written = write(&mut out).and_then(|()| out.flush());
    // The rest of the buffer would be tried again after an error.
    drop(out.into_parts());
    match written {
        Err(error) => lost(&error),
        Ok(()) => Ok(()),
    }
}

/// Writes each row as a line of JSON.
pub(crate) fn lines<T: Serialize>(out: &mut dyn Write, rows: &[T]) -> io::Result<()> {
    for row in rows {
        serde_json::to_writer(&mut *out, row)?;
        writeln!(out)?;
    }
    Ok(())
}

/// Prints a line of results by itself, for results that come bit by bit and from any thread. Whether all were written tells
/// [`finish`].
pub(crate) fn line(text: Arguments<'_>) {
    if LOST.get().is_none()
        && let Err(error) = writeln!(io::stdout().lock(), "{text}")
    {
        let _ = LOST.set(error);
    }
}

/// Whether all lines were written.
pub(crate) fn finish() -> Result<(), Failure> {
    LOST.get().map_or(Ok(()), lost)
}

/// Tells of something on standard error. Where that cannot be written, the exit code still tells.
pub(crate) fn complaint(text: Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

fn lost(error: &io::Error) -> Result<(), Failure> {
    match error.kind() {
        ErrorKind::BrokenPipe => Ok(()),
        _ => Err(Failure::fault(format!("writing the results failed: {error}"))),
    }
}

/// Prints a line of results as `println!` does, without its panic.
macro_rules! say {
    ($($text:tt)*) => {
        $crate::shared::output::line(format_args!($($text)*))
    };
}

/// Prints a line to standard error as `eprintln!` does, without its panic.
macro_rules! complain {
    ($($text:tt)*) => {
        $crate::shared::output::complaint(format_args!($($text)*))
    };
}

pub(crate) use {complain, say};
