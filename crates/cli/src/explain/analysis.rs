use super::settings::Settings;
use alloy_primitives::Address;
use tandem_analysis::{ActualRun, Graph, Hotspot, Hotspots, Model, Names, StateKey, Together, Trace};
use tandem_workload::WorkloadError;

/// Contracts at most that are looked at together.
const TOGETHER: usize = 12;

/// Blocks, their dependencies, and an actual run of them.
pub(super) struct Analysis<'a> {
    pub(super) trace: &'a Trace,
    /// The engine's input.
    pub(super) graph: &'a Graph,
    /// Transactions that need an earlier step of their block.
    pub(super) dependent: &'a [usize],
    pub(super) run: &'a ActualRun,
    pub(super) names: Names,
    pub(super) state_keys: Vec<Hotspot<StateKey>>,
    pub(super) contracts: Vec<Hotspot<Address>>,
    pub(super) together: Vec<Together<Address>>,
}

impl<'a> Analysis<'a> {
    /// `progress` is called [`Analysis::effort`] times at most.
    pub(super) fn new(
        settings: &Settings,
        trace: &'a Trace,
        graph: &'a Graph,
        dependent: &'a [usize],
        run: &'a ActualRun,
        progress: &dyn Fn(),
    ) -> Result<Self, WorkloadError> {
        let names = Names::new(trace)?;
        let model = Model::Delta;
        let state_keys =
            Hotspots::state_keys(trace, graph, model, settings.ideal).hottest(settings.top, progress);
        let accounts = Hotspots::accounts(trace, graph, model, settings.ideal);
        let contracts = accounts.hottest(settings.top, progress);
        let among: Vec<_> = contracts.iter().take(TOGETHER).map(|contract| contract.key).collect();
        let together = accounts.together(&among);
        progress();
        Ok(Self { trace, graph, dependent, run, names, state_keys, contracts, together })
    }

    pub(super) fn effort(settings: &Settings) -> usize {
        Hotspots::<StateKey>::effort(settings.top).saturating_mul(2).saturating_add(1)
    }
}
