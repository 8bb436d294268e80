//! Memory and panics. An instance lives for one call, so memory is never given back.

use core::alloc::{GlobalAlloc, Layout};
use core::arch::wasm32::{memory_grow, memory_size};
use core::cell::Cell;

const PAGE: usize = 65_536;

struct Heap {
    /// The next free byte, and the end of what has been taken from the memory.
    free: Cell<(usize, usize)>,
}

// SAFETY: an instance has one thread.
unsafe impl Sync for Heap {}

// SAFETY: an allocation lies behind all earlier ones, in pages that nothing else uses.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let (mut free, mut end) = self.free.get();
        if end == 0 {
            free = memory_size(0) * PAGE;
            end = free;
        }
        let start = free.next_multiple_of(layout.align());
        let after = start + layout.size();
        if after > end {
            let pages = (after - end).div_ceil(PAGE);
            if memory_grow(0, pages) == usize::MAX {
                return core::ptr::null_mut();
            }
            end += pages * PAGE;
        }
        self.free.set((after, end));
        start as *mut u8
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static HEAP: Heap = Heap { free: Cell::new((0, 0)) };

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    crate::sys::fail(99)
}
