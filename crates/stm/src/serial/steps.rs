use crate::vm::Vm;
use std::collections::VecDeque;

/// A step that is not final yet.
struct Pending<V: Vm> {
    step: V::Step,
    output: Option<V::Output>,
    /// Times it was executed.
    executions: u32,
}

/// The steps of a stream from the next one on, pulled from its input only when they are needed.
pub(super) struct Steps<V: Vm, I, B> {
    batches: I,
    current: Option<B>,
    pending: VecDeque<Pending<V>>,
    /// Number of final steps.
    position: u64,
}

impl<V: Vm, I, B> Steps<V, I, B> {
    pub(super) fn new(batches: I) -> Self {
        Self { batches, current: None, pending: VecDeque::new(), position: 0 }
    }

    /// The position of the next step.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// A pulled step.
    pub(super) fn step(&self, ahead: u64) -> &V::Step {
        &self.pending[ahead as usize].step
    }

    /// A pulled step and its output.
    pub(super) fn with_output(&mut self, ahead: u64) -> (&V::Step, &mut Option<V::Output>) {
        let Pending { step, output, .. } = &mut self.pending[ahead as usize];
        (step, output)
    }

    /// Counts an execution of a pulled step. Gives the step, and how often it was executed before.
    pub(super) fn count_execution(&mut self, ahead: u64) -> (&V::Step, u32) {
        let Pending { step, executions, .. } = &mut self.pending[ahead as usize];
        *executions += 1;
        (step, *executions - 1)
    }

    /// Takes the next step, which becomes final: the step, its output, and how often it was executed.
    pub(super) fn take(&mut self) -> (V::Step, Option<V::Output>, u32) {
        let Pending { step, output, executions } = self.pending.pop_front().expect("a step was pulled");
        self.position += 1;
        (step, output, executions)
    }
}

impl<V, I, B> Steps<V, I, B>
where
    V: Vm,
    I: Iterator<Item: IntoIterator<IntoIter = B>>,
    B: Iterator<Item = V::Step>,
{
    /// Pulls the next batch. `false` at the stream's end.
    pub(super) fn next_batch(&mut self) -> bool {
        self.current = self.batches.next().map(IntoIterator::into_iter);
        self.current.is_some()
    }

    /// Pulls steps until there is one at `ahead`, from the batch that the last one came from. `false` if that batch has ended.
    pub(super) fn pull_in_batch(&mut self, ahead: u64) -> bool {
        while self.pending.len() as u64 <= ahead {
            let Some(step) = self.current.as_mut().and_then(Iterator::next) else { return false };
            self.pending.push_back(Pending { step, output: None, executions: 0 });
        }
        true
    }
}
