use std::collections::VecDeque;

/// A queue of items, ordered by a number, that holds a single item without heap memory: most queues never hold more.
pub(super) enum Queue<T> {
    /// At most one item.
    One(Option<T>),
    /// It has held more at once.
    Many(VecDeque<T>),
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self::One(None)
    }
}

impl<T> Queue<T> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::One(item) => usize::from(item.is_some()),
            Self::Many(items) => items.len(),
        }
    }

    /// Heap memory, in bytes. It only grows.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::One(_) => 0,
            Self::Many(items) => items.capacity() * size_of::<T>(),
        }
    }

    pub(super) fn get(&self, at: usize) -> Option<&T> {
        match self {
            Self::One(item) => item.as_ref().filter(|_| at == 0),
            Self::Many(items) => items.get(at),
        }
    }

    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        match self {
            Self::One(item) => item.as_mut().filter(|_| at == 0),
            Self::Many(items) => items.get_mut(at),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        (0..self.len()).filter_map(|at| self.get(at))
    }

    /// Inserts an item before the one at index `at`.
    pub(super) fn insert(&mut self, at: usize, new: T) {
        match self {
            Self::One(item @ None) => *item = Some(new),
            Self::One(item) => {
                let mut items = VecDeque::from_iter(item.take());
                items.insert(at, new);
                *self = Self::Many(items);
            }
            Self::Many(items) => items.insert(at, new),
        }
    }

    pub(super) fn remove(&mut self, at: usize) -> Option<T> {
        match self {
            Self::One(item) => item.take_if(|_| at == 0),
            Self::Many(items) => items.remove(at),
        }
    }

    /// The number of items before the first one whose number is at least this.
    pub(super) fn count_below(&self, number: u64, number_of: impl Fn(&T) -> u64) -> usize {
        match self {
            Self::One(item) => usize::from(item.as_ref().is_some_and(|item| number_of(item) < number)),
            Self::Many(items) => items.partition_point(|item| number_of(item) < number),
        }
    }
}
