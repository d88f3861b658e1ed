//! How many bytes the process holds.
//!
//! Counting takes two atomic operations for each allocation, which would cost those most who
//! allocate most often. So it is off while time is measured: then an allocation costs one load of a
//! flag more, and everybody the same.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering::Relaxed};

/// The system's allocator, with a count of what was asked of it.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static ON: AtomicBool = AtomicBool::new(false);
static HELD: AtomicIsize = AtomicIsize::new(0);

/// Counts from here on.
pub fn count() {
    ON.store(true, Relaxed);
}

/// The bytes asked for since the count began, less those given back.
pub fn held() -> isize {
    HELD.load(Relaxed)
}

fn add(bytes: isize) {
    if ON.load(Relaxed) {
        HELD.fetch_add(bytes, Relaxed);
    }
}

// SAFETY: every call goes on to the system's allocator as it came. A layout has at most
// `isize::MAX` bytes, so the casts are exact. `realloc` is passed on too: it may grow in place.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add(layout.size() as isize);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        add(-(layout.size() as isize));
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        add(size as isize - layout.size() as isize);
        unsafe { System.realloc(pointer, layout, size) }
    }
}
