//! Runs: steps that a worker executes one after the other and that count as one.

use super::{Crew, Worker, since};
use crate::frontier::Sink;
use crate::groups::Place;
use crate::sync::atomic::Ordering;
use crate::vm::Vm;
use crate::window::{Body, Phase};
use std::time::Instant;

/// How far a run came.
pub(super) struct Executed<V: Vm> {
    /// Number of steps that executed, from the first on. Their outputs are in their slots, their record is in the view.
    pub(super) len: u64,
    /// Why the step behind these did not execute, if it was tried.
    pub(super) error: Option<V::Error>,
}

impl<V, S, I, B> Crew<V, S, I, B>
where
    V: Vm,
    S: Sink<V>,
    I: Iterator + Send,
    I::Item: IntoIterator<IntoIter = B>,
    B: Iterator<Item = V::Step> + Send,
{
    /// Executes the step at `position`, which the caller owns, and in one run with it those behind it that nobody has started:
    /// `most` steps at most, and none after `end` has come.
    ///
    /// The caller owns all steps that executed.
    pub(super) fn execute_run(
        &self,
        worker: &mut Worker<'_, V>,
        position: u64,
        body: &mut Body<V>,
        speculative: bool,
        most: u64,
        end: Option<Instant>,
    ) -> Executed<V> {
        let window = &self.shared.window;
        let always = worker.vm.records_always();
        let most = if self.runs { most } else { 1 };
        // Others wait for what steps of related groups do, and should not wait for more than that.
        let related = |one: Option<Place>, other: Option<Place>| {
            one.into_iter().chain(other).any(|group| self.shared.groups.are_related(group))
        };
        worker.view().begin(position, speculative, always);
        let mut output = match worker.execute(position, body, speculative) {
            Ok(output) => output,
            Err(error) => return Executed { len: 0, error: Some(error) },
        };
        let (mut len, mut error, mut group) = (1, None, body.group);
        while error.is_none()
            && len < most
            && worker.vm.continues(&worker.state)
            && !self.shared.stopped()
            && end.is_none_or(|end| Instant::now() < end)
            && window.claim(position + len, Phase::Ready, Phase::Running)
        {
            let next = position + len;
            let mut body = window.slot(next).body.lock();
            if speculative && group != body.group && related(group, body.group) {
                window.set(next, Phase::Ready);
                break;
            }
            group = body.group;
            if speculative && self.leaves_to_follow(worker, next, position, &mut body) {
                break;
            }
            worker.view().proceed();
            match worker.execute(next, &mut body, speculative) {
                Ok(output) => {
                    body.output = Some(output);
                    body.len = 0;
                    len += 1;
                    worker.metrics.joined += 1;
                    worker.metrics.joined_ahead += u64::from(speculative);
                }
                Err(reason) => {
                    if speculative {
                        worker.metrics.blocked += 1;
                        body.checked = self.shared.frontier.load(Ordering::Acquire);
                        window.set(next, Phase::Blocked);
                    }
                    error = Some(reason);
                }
            }
        }
        let start = worker.now();
        let reported = worker.vm.report(&mut worker.state, &mut output);
        worker.metrics.execute_time += since(start);
        body.output = Some(output);
        body.len = len;
        match reported {
            Ok(()) => Executed { len, error },
            Err(error) => {
                self.dissolve(position, body);
                Executed { len: 0, error: Some(error) }
            }
        }
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
            shared.next.fetch_min(member, Ordering::Relaxed);
        }
    }
}
