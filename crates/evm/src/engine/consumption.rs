//! How far the consumer of a stream has come.

use parking_lot::{Condvar, Mutex};

#[derive(Debug, Default)]
struct Progress {
    /// Blocks that were sent to it.
    sent: u64,
    /// Blocks that it has asked for.
    asked: u64,
    /// Whether it will ask for no more.
    gone: bool,
}

/// How far the consumer of a stream has come. Whoever asks for a block is done with all before it.
#[derive(Debug, Default)]
pub(crate) struct Consumption {
    progress: Mutex<Progress>,
    /// The consumer has asked for a block, or is gone. Notified with `progress` unlocked.
    changed: Condvar,
}

impl Consumption {
    /// Notes that a block is being sent.
    pub(crate) fn send(&self) {
        self.progress.lock().sent += 1;
    }

    /// Notes that the consumer asks for a block.
    pub(crate) fn ask(&self) {
        self.progress.lock().asked += 1;
        self.changed.notify_all();
    }

    /// Notes that the consumer is gone.
    pub(crate) fn leave(&self) {
        self.progress.lock().gone = true;
        self.changed.notify_all();
    }

    /// Waits until the consumer is done with all blocks that were sent, or gone.
    pub(crate) fn wait(&self) {
        let mut progress = self.progress.lock();
        self.changed.wait_while(&mut progress, |progress| progress.asked <= progress.sent && !progress.gone);
    }
}
