//! Waiting without keeping a thread from background work.

use crossbeam_channel::{Receiver, RecvTimeoutError, SendTimeoutError, Sender};
use std::time::Duration;
use tandem_stm::assist;

/// How long to sleep while neither the channel nor background work has anything: either may come first.
const NAP: Duration = Duration::from_micros(100);

/// Receives from a channel; `None` if all senders are gone.
///
/// For whoever may wait on a thread for background work, of which it does some meanwhile: that may be what it waits for.
pub fn receive<T>(receiver: &Receiver<T>) -> Option<T> {
    let mut nap = Duration::ZERO;
    loop {
        match receiver.recv_timeout(nap) {
            Ok(value) => return Some(value),
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => match assist() {
                Some(done) => nap = if done { Duration::ZERO } else { NAP },
                None => return receiver.recv().ok(),
            },
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
        match assist() {
            Some(done) => nap = if done { Duration::ZERO } else { NAP },
            None => {
                let _ = sender.send(value);
                return;
            }
        }
    }
}
