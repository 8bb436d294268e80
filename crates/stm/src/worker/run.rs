//! Runs: steps that a worker executes one after the other and that count as one.

use super::guard::Failure;
use super::{Crew, Worker, since};
use crate::groups::Place;
use crate::vm::Vm;
use crate::window::{Body, Phase};
use std::time::Instant;

/// A step that failed, by its place in its run, and why.
type Failed<V> = (u64, Failure<<V as Vm>::Error>);

impl<V: Vm, S, F> Crew<V, S, F> {
    /// Executes the step at `position`, which the caller owns, and in one run with it those behind it that nobody has started:
    /// `most` steps at most, and none after `end` has come. Gives their number, or why the first of them failed.
    ///
    /// A run in which a step fails is executed again without that step, so that nothing of it is in the run's record. The caller owns
    /// all steps that executed; their outputs are in their slots, their record is in the view.
    pub(super) fn execute_run(
        &self,
        worker: &mut Worker<'_, V>,
        position: u64,
        body: &mut Body<V>,
        speculative: bool,
        most: u64,
        end: Option<Instant>,
    ) -> Result<u64, Failure<V::Error>> {
        let mut most = if self.runs { most } else { 1 };
        loop {
            match self.try_run(worker, position, body, speculative, most, end) {
                Ok(len) => return Ok(len),
                Err((0, failure)) => return Err(failure),
                Err((at, _)) => most = at,
            }
        }
    }

    /// Executes a run. If one of its steps fails, all of them but the first are as if nobody had started them.
    fn try_run(
        &self,
        worker: &mut Worker<'_, V>,
        position: u64,
        body: &mut Body<V>,
        speculative: bool,
        most: u64,
        end: Option<Instant>,
    ) -> Result<u64, Failed<V>> {
        let window = &self.shared.window;
        // Others wait for what steps of related groups do, and should not wait for more than that.
        let related = |one: Option<Place>, other: Option<Place>| {
            one.into_iter().chain(other).any(|group| self.shared.groups.are_related(group))
        };
        worker.begin(position, body, speculative);
        let (mut output, mut open) =
            worker.execute(position, body, speculative).map_err(|failure| (0, failure))?;
        let (mut len, mut group) = (1, body.group);
        while open
            && len < most
            && !self.shared.stopped()
            && end.is_none_or(|end| Instant::now() < end)
            && window.claim(position + len, Phase::Ready, Phase::Running)
        {
            let next = position + len;
            let mut member = window.slot(next).body.lock();
            if speculative && group != member.group && related(group, member.group) {
                window.set(next, Phase::Ready);
                break;
            }
            group = member.group;
            if speculative && self.leaves_to_follow(worker, next, position, &mut member) {
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
            // Which step it is about, shorter runs tell.
            return Err((len / 2, failure));
        }
        worker.metrics.joined += len - 1;
        worker.metrics.joined_ahead += if speculative { len - 1 } else { 0 };
        body.output = Some(output);
        Ok(len)
    }

    /// Takes a run apart, all of whose steps the caller owns: those behind the first are as if nobody had started them.
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
