//! Functions that compiled code may call without saying so. Copying and filling memory are instructions (bulk memory); comparing is not.
#![no_std]
#![compiler_builtins]
#![feature(compiler_builtins)]
#![no_builtins]
#![allow(internal_features)]

/// C's `memcmp`.
///
/// # Safety
/// Both areas have `size` bytes.
#[no_mangle]
pub unsafe extern "C" fn memcmp(one: *const u8, other: *const u8, size: usize) -> i32 {
    let mut at = 0;
    while at < size {
        let (a, b) = (*one.add(at), *other.add(at));
        if a != b {
            return a as i32 - b as i32;
        }
        at += 1;
    }
    0
}

/// C's `bcmp`.
///
/// # Safety
/// As for `memcmp`.
#[no_mangle]
pub unsafe extern "C" fn bcmp(one: *const u8, other: *const u8, size: usize) -> i32 {
    memcmp(one, other, size)
}
