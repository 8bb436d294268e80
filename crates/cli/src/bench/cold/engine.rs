use super::analysed_store::AnalysedStore;
use super::caches::Caches;
use super::clock::{Sample, clock};
use crate::bench::alloy::Differences;
use crate::shared::digest::block_digest;
use crate::shared::executed::Output;
use crate::shared::failure::Failure;
use alloy_primitives::B256;
use tandem_evm::{AlloyExecutor, Block, Config, Executor, PlainExecutor};

/// What executes blocks, one a call.
pub(super) struct Engine {
    pub(super) threads: usize,
    executor: Kind,
}

/// The executors, each kept for all blocks and rounds.
enum Kind {
    Revm(PlainExecutor),
    Alloy(AlloyExecutor, Differences),
    Tandem(Executor),
}

/// A block, and what every engine must make of it.
pub(super) struct Expected {
    pub(super) name: String,
    /// The plain loop's results.
    pub(super) output: Output,
    /// Their digest.
    pub(super) digest: B256,
}

impl Engine {
    /// The plain loop first, alloy-evm's executor, and Tandem with each of these numbers of threads.
    pub(super) fn all(threads: &[usize]) -> Result<Vec<Self>, Failure> {
        let mut engines = vec![
            Self { threads: 1, executor: Kind::Revm(PlainExecutor::new()) },
            Self { threads: 1, executor: Kind::Alloy(AlloyExecutor::new(), Differences::default()) },
        ];
        for &threads in threads {
            let executor = Executor::new(&Config::default().threads(threads)).map_err(Failure::input)?;
            engines.push(Self { threads, executor: Kind::Tandem(executor) });
        }
        Ok(engines)
    }

    /// Its name in reports, where Tandem is named after the way to use it.
    pub(super) fn mode(&self) -> &'static str {
        match self.executor {
            Kind::Revm(_) => "revm",
            Kind::Alloy(..) => "alloy",
            Kind::Tandem(_) => "call",
        }
    }

    /// Executes a block on evicted caches, and checks the results.
    pub(super) fn call(
        &mut self,
        store: &AnalysedStore<'_>,
        expected: &Expected,
        caches: &mut Caches,
    ) -> Result<Sample, Failure> {
        let Expected { name, output, digest } = expected;
        let block: &Block = &output.block;
        let failed = |error: &dyn std::fmt::Display| Failure::fault(format!("{name}: {error}"));
        match &mut self.executor {
            Kind::Revm(executor) => {
                caches.evict();
                let (executed, sample) = clock(|| executor.execute(store, block));
                executed.map_err(|error| failed(&error))?;
                Ok(sample)
            }
            Kind::Alloy(executor, differences) => {
                caches.evict();
                let (executed, sample) = clock(|| executor.execute(store, block));
                differences.check(name, executed, output)?;
                Ok(sample)
            }
            Kind::Tandem(executor) => {
                let block = block.clone();
                caches.evict();
                let (executed, sample) = clock(|| executor.execute(store, block));
                let executed = executed.map_err(|error| failed(&error))?;
                if block_digest(&Output::from(executed)) != *digest {
                    let threads = self.threads;
                    let differs = format!("with {threads} threads the result differs from the plain loop's");
                    return Err(failed(&differs));
                }
                Ok(sample)
            }
        }
    }
}
