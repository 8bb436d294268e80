use super::report::Stages;
use super::segment::View;
use crossbeam_channel::Receiver;
use parking_lot::RwLock;
use tandem_evm::ReadHint;
use tandem_state::Store;

/// Reads what blocks name into the cache, before their transactions ask for it. Failures are left to the
/// execution that needs the values.
pub(super) fn run(hints: &Receiver<Vec<ReadHint>>, view: &RwLock<View>, stages: &Stages) {
    for block in hints {
        stages.prefetch.time(|| {
            let view = view.read();
            let store = view.store();
            for hint in block {
                match hint {
                    ReadHint::Account(address) => {
                        if let Ok(Some(account)) = store.account(address) {
                            let _ = store.code(account.code_hash);
                        }
                    }
                    ReadHint::Slot(address, slot) => {
                        let _ = store.storage(address, slot);
                    }
                }
            }
        });
    }
}
