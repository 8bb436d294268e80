//! Traces of the recorded blocks that lie beside the repository: those of executing their transactions one by one.
//!
//! Three of them are traced; `TANDEM_BLOCKS=all` has all of them traced, which takes a quarter of an hour.

use crate::common::rng::Rng;
use crate::common::stores::SlowStore;
use crate::common::tracer::{Look, hashed_traces};
use crate::common::with_executor;
use alloy_consensus::transaction::Recovered;
use std::path::Path;
use std::sync::Arc;
use tandem_evm::{Block, BlockInput, ChainSpec};
use tandem_state::fixture::{Loader, discover};

#[test]
fn traces_of_recorded_blocks_are_those_of_one_by_one() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/blocks");
    if !folder.is_dir() {
        let absent = format!("there are no recorded blocks at {}", folder.display());
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{absent}, and CI must not pass without them");
        println!("skipped: {absent}");
        return;
    }
    let stride = if std::env::var("TANDEM_BLOCKS").as_deref() == Ok("all") { 1 } else { 34 };
    let directories = discover(&[folder]).unwrap();
    assert_eq!(directories.len(), 102);
    let (mut loader, mut rng, mut traced, mut conflicts) = (Loader::new(), Rng(102), 0, 0);
    for directory in directories.iter().step_by(stride) {
        let fixture = loader.load(directory).unwrap();
        let chain = Arc::new(ChainSpec::known(fixture.chain_id).unwrap());
        let senders = fixture.expected_senders.iter();
        let transactions = fixture.transactions.into_iter().zip(senders);
        let recovered =
            transactions.map(|(transaction, sender)| Recovered::new_unchecked(transaction, *sender));
        let block = Block::new(&chain, fixture.header, recovered, vec![], Default::default());
        let block = block.without_system_steps();
        let mut state = fixture.state;
        if block.clears_empty_accounts() {
            state.remove_empty_accounts(|_| false);
        }
        for look in [Look::Nowhere, Look::AtBothEnds] {
            let tracers = hashed_traces(look);
            let serial = tracers.serially(&block, &state);
            for threads in if stride == 1 { vec![1, 2, 8] } else { vec![1, 8] } {
                let store = SlowStore::new(&state, rng.next(), &[]);
                let input = BlockInput::new(block.clone(), &store);
                let (blocks, metrics) = with_executor(threads, 0)
                    .stream([input])
                    .inspect(&tracers)
                    .run(|blocks| blocks.map(Result::unwrap).collect::<Vec<_>>());
                let different = blocks[0].traces.iter().zip(&serial).position(|(one, other)| one != other);
                let what = format!("{}, {threads} threads, {look:?}", fixture.name);
                assert_eq!((blocks[0].traces.len(), different), (serial.len(), None), "{what}");
                traced += serial.len();
                conflicts += metrics.conflicts;
            }
        }
    }
    println!("{traced} traces, {conflicts} conflicts");
    assert!(traced > 500 && conflicts > 20, "{traced} traces, {conflicts} conflicts");
}
