use std::hint::black_box;

/// Words in a line of the processor's caches, of 64 bytes.
const LINE: usize = 8;

/// Memory whose use drives everything else out of the processor's caches.
#[derive(Debug)]
pub(super) struct Caches(Vec<u64>);

impl Caches {
    /// `mebibytes` is how much memory is used.
    pub(super) fn new(mebibytes: usize) -> Self {
        Self(vec![0; (mebibytes << 20) / size_of::<u64>()])
    }

    /// Changes a word in every line of the memory.
    pub(super) fn evict(&mut self) {
        for word in self.0.iter_mut().step_by(LINE) {
            *word = word.wrapping_add(1);
        }
        black_box(&mut self.0);
    }
}
