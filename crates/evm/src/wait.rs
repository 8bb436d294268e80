//! Waiting on an engine's thread without keeping it from background work.

use crossbeam_channel::{Receiver, RecvTimeoutError, SendTimeoutError, Sender};
use std::time::Duration;
use tandem_stm::assist;

/// How long to sleep while neither the channel nor background work has anything: either may come first.
const NAP: Duration = Duration::from_micros(100);

/// Receives from a channel; `None` if all senders are gone.
///
/// For whoever waits on a thread of an executor, such as the input of a stream: the thread does background work
/// meanwhile, which may be what it waits for.
pub fn receive<T>(receiver: &Receiver<T>) -> Option<T> {
    let mut nap = Duration::ZERO;
    loop {
        match receiver.recv_timeout(nap) {
            Ok(value) => return Some(value),
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => nap = if assist() { Duration::ZERO } else { NAP },
        }
    }
}

/// Sends to a channel, unless all receivers are gone. Waits for room as [`receive`] waits.
pub fn send<T>(sender: &Sender<T>, value: T) {
    let (mut value, mut nap) = (value, Duration::ZERO);
    loop {
        match sender.send_timeout(value, nap) {
            Ok(()) | Err(SendTimeoutError::Disconnected(_)) => return,
            Err(SendTimeoutError::Timeout(unsent)) => value = unsent,
        }
        nap = if assist() { Duration::ZERO } else { NAP };
    }
}
