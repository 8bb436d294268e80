//! Runs: consecutive steps that a worker executes as if they were one.

use super::{Stream, Worker};
use crate::conflict_class::ClassId;
use crate::guard::Failure;
use crate::metrics::since;
use crate::vm::Vm;
use crate::window::{Body, Phase};
use std::time::Instant;

/// The index in its run of a step that failed, and why it did.
type Failed<V> = (u64, Failure<<V as Vm>::Error>);

impl<V: Vm, S, F> Stream<V, S, F> {
    /// Executes a run: the step at `position`, which the caller owns, and the steps behind it that are ready. The run has `most` steps at
    /// most, and starts none after `deadline`. Gives its length, or why its first step failed.
    ///
    /// If a later step fails, the run executes again without that step, so that its record has nothing of it. The caller owns all steps
    /// of the run: their outputs are in their slots, their common record is in the view.
    pub(super) fn execute_run(
        &self,
        worker: &mut Worker<'_, V>,
        position: u64,
        body: &mut Body<V>,
        speculative: bool,
        most: u64,
        deadline: Option<Instant>,
    ) -> Result<u64, Failure<V::Error>> {
        let mut most = if self.runs { most } else { 1 };
        loop {
            match self.try_run(worker, position, body, speculative, most, deadline) {
                Ok(len) => return Ok(len),
                Err((0, failure)) => return Err(failure),
                Err((at, _)) => most = at,
            }
        }
    }

    /// Executes a run once. If one of its steps fails, the run is dissolved.
    fn try_run(
        &self,
        worker: &mut Worker<'_, V>,
        position: u64,
        body: &mut Body<V>,
        speculative: bool,
        most: u64,
        deadline: Option<Instant>,
    ) -> Result<u64, Failed<V>> {
        let window = &self.shared.window;
        // Steps queued behind a step of a contended class should not have to wait for steps of other classes, too.
        let contended = |one: Option<ClassId>, other: Option<ClassId>| {
            one.into_iter().chain(other).any(|class| self.shared.classes.is_contended(class))
        };
        worker.begin(position, body, speculative);
        let (mut output, mut open) =
            worker.execute(position, body, speculative).map_err(|failure| (0, failure))?;
        let (mut len, mut class) = (1, body.class);
        while open
            && len < most
            && !self.shared.control.stopped()
            && deadline.is_none_or(|deadline| Instant::now() < deadline)
            && window.claim(position + len, Phase::Ready, Phase::Executing)
        {
            let next = position + len;
            let mut member = window.slot(next).body.lock();
            if speculative && class != member.class && contended(class, member.class) {
                window.set(next, Phase::Ready);
                break;
            }
            class = member.class;
            if speculative && self.queues_behind_predecessor(worker, next, position, &mut member) {
                break;
            }
            worker.view().proceed();
            match worker.execute(next, &mut member, speculative) {
                Ok((output, continues)) => {
                    member.output = Some(output);
                    member.len = 0;
                    len += 1;
                    open = continues;
                }
                Err(failure) => {
                    if speculative {
                        worker.metrics.blocked += 1;
                        member.checked = self.shared.frontier.get();
                    }
                    window.set(next, if speculative { Phase::Blocked } else { Phase::Ready });
                    drop(member);
                    body.len = len;
                    self.dissolve(position, body);
                    return Err((len, failure));
                }
            }
        }
        body.len = len;
        let start = worker.now();
        let reported = worker.report(&mut output);
        worker.metrics.execute_time += since(start);
        if let Err(failure) = reported {
            self.dissolve(position, body);
            // The report does not say which step failed. Shorter runs find it.
            return Err((len / 2, failure));
        }
        worker.metrics.joined += len - 1;
        worker.metrics.joined_ahead += if speculative { len - 1 } else { 0 };
        body.output = Some(output);
        Ok(len)
    }

    /// Dissolves a run whose steps the caller owns: the caller keeps the first step, the others are ready again.
    pub(super) fn dissolve(&self, position: u64, body: &mut Body<V>) {
        let shared = &self.shared;
        body.output = None;
        for member in position + 1..position + std::mem::replace(&mut body.len, 1) {
            let mut body = shared.window.slot(member).body.lock();
            body.output = None;
            body.len = 1;
            shared.window.set(member, Phase::Ready);
            shared.next.give_back(member);
        }
    }
}
