//! The FVM's system calls.

use alloc::vec;
use alloc::vec::Vec;

pub(crate) const CBOR: u64 = 0x51;
pub(crate) const RAW: u64 = 0x55;
pub(crate) const DAG_CBOR: u64 = 0x71;
const BLAKE2B_256: u64 = 0xb220;
const SHA2_256: u64 = 0x12;

/// A CID of version 1 with a hash of 32 bytes by BLAKE2b; all links here are such.
pub(crate) type Cid = [u8; 38];

mod raw {
    #[link(wasm_import_module = "ipld")]
    extern "C" {
        pub(super) fn block_open(result: *mut u8, cid: *const u8) -> u32;
        pub(super) fn block_create(result: *mut u32, codec: u64, data: *const u8, size: usize) -> u32;
        pub(super) fn block_link(
            result: *mut u32,
            block: u32,
            hash: u64,
            length: u32,
            cid: *mut u8,
            size: usize,
        ) -> u32;
        pub(super) fn block_read(result: *mut i32, block: u32, offset: u32, to: *mut u8, size: usize) -> u32;
        pub(super) fn block_stat(result: *mut u8, block: u32) -> u32;
    }
    #[link(wasm_import_module = "self")]
    extern "C" {
        pub(super) fn root(result: *mut u32, cid: *mut u8, size: usize) -> u32;
        pub(super) fn set_root(cid: *const u8) -> u32;
        pub(super) fn current_balance(result: *mut u64) -> u32;
        pub(super) fn self_destruct(burn: u32) -> u32;
    }
    #[link(wasm_import_module = "actor")]
    extern "C" {
        pub(super) fn resolve_address(result: *mut u64, address: *const u8, size: usize) -> u32;
        pub(super) fn lookup_delegated_address(result: *mut u32, id: u64, to: *mut u8, size: usize) -> u32;
        pub(super) fn get_actor_code_cid(result: *mut u32, id: u64, to: *mut u8, size: usize) -> u32;
        pub(super) fn get_code_cid_for_type(result: *mut u32, kind: i32, to: *mut u8, size: usize) -> u32;
        pub(super) fn balance_of(result: *mut u64, id: u64) -> u32;
        pub(super) fn create_actor(id: u64, code: *const u8, address: *const u8, size: usize) -> u32;
    }
    #[link(wasm_import_module = "send")]
    extern "C" {
        pub(super) fn send(
            result: *mut u8,
            to: *const u8,
            size: usize,
            method: u64,
            params: u32,
            value_high: u64,
            value: u64,
            gas: u64,
            flags: u64,
        ) -> u32;
    }
    #[link(wasm_import_module = "event")]
    extern "C" {
        pub(super) fn emit_event(
            entries: *const u8,
            count: u32,
            key: *const u8,
            key_size: usize,
            value: *const u8,
            value_size: usize,
        ) -> u32;
    }
    #[link(wasm_import_module = "crypto")]
    extern "C" {
        pub(super) fn hash(
            result: *mut u32,
            code: u64,
            data: *const u8,
            size: usize,
            to: *mut u8,
            length: usize,
        ) -> u32;
    }
    #[link(wasm_import_module = "vm")]
    extern "C" {
        pub(super) fn exit(code: u32, block: u32, message: *const u8, size: usize) -> u32;
        pub(super) fn message_context(result: *mut u8) -> u32;
    }
}

/// Ends the call with an exit code.
pub(crate) fn fail(code: u32) -> ! {
    // SAFETY: an empty message.
    unsafe { raw::exit(code, 0, core::ptr::null(), 0) };
    // The call before does not return.
    core::arch::wasm32::unreachable()
}

/// Ends the call if a system call failed.
fn check(error: u32) {
    if error != 0 {
        fail(100 + error)
    }
}

/// The kind of a message or call.
pub(crate) struct Context {
    pub(crate) sequence: u64,
    pub(crate) caller: u64,
    pub(crate) receiver: u64,
    pub(crate) method: u64,
    pub(crate) value: u64,
}

pub(crate) fn context() -> Context {
    let mut data = [0_u8; 80];
    // SAFETY: the result has five numbers, two amounts of two numbers, and one of flags.
    check(unsafe { raw::message_context(data.as_mut_ptr()) });
    let number = |index: usize| crate::cbor::little(&data[8 * index..][..8]);
    Context {
        sequence: number(1),
        caller: number(2),
        receiver: number(3),
        method: number(4),
        value: number(5),
    }
}

/// The content of a block of this call.
pub(crate) fn read(block: u32) -> Vec<u8> {
    let mut stat = [0_u8; 12];
    // SAFETY: the result is a codec and a size.
    check(unsafe { raw::block_stat(stat.as_mut_ptr(), block) });
    content(block, crate::cbor::little(&stat[8..]) as usize)
}

fn content(block: u32, size: usize) -> Vec<u8> {
    let mut data = vec![0; size];
    let mut left = 0;
    // SAFETY: there is room for `size` bytes.
    check(unsafe { raw::block_read(&mut left, block, 0, data.as_mut_ptr(), size) });
    data
}

/// A new block of this call.
pub(crate) fn block(codec: u64, data: &[u8]) -> u32 {
    let mut block = 0;
    // SAFETY: `data` has the size that is said.
    check(unsafe { raw::block_create(&mut block, codec, data.as_ptr(), data.len()) });
    block
}

/// Reads a block of the state.
pub(crate) fn load(cid: &Cid) -> Vec<u8> {
    let mut opened = [0_u8; 16];
    // SAFETY: the result is a codec, a block and its size.
    check(unsafe { raw::block_open(opened.as_mut_ptr(), cid.as_ptr()) });
    let number = |from: usize| crate::cbor::little(&opened[from..from + 4]);
    content(number(8) as u32, number(12) as usize)
}

/// Writes a block that the state may link to.
pub(crate) fn save(codec: u64, data: &[u8]) -> Cid {
    let (block, mut size, mut cid) = (block(codec, data), 0, [0; 38]);
    // SAFETY: there is room for a CID.
    check(unsafe { raw::block_link(&mut size, block, BLAKE2B_256, 32, cid.as_mut_ptr(), cid.len()) });
    cid
}

/// This actor's state.
pub(crate) fn root() -> Cid {
    let (mut size, mut cid) = (0, [0; 38]);
    // SAFETY: there is room for a CID.
    check(unsafe { raw::root(&mut size, cid.as_mut_ptr(), cid.len()) });
    cid
}

pub(crate) fn set_root(cid: &Cid) {
    // SAFETY: a whole CID.
    check(unsafe { raw::set_root(cid.as_ptr()) });
}

pub(crate) fn own_balance() -> u64 {
    let mut amount = [0; 2];
    // SAFETY: an amount has two numbers.
    check(unsafe { raw::current_balance(amount.as_mut_ptr()) });
    amount[0]
}

/// An actor's balance, or an error number.
pub(crate) fn balance_of(id: u64) -> (u32, u64) {
    let mut amount = [0; 2];
    // SAFETY: an amount has two numbers.
    let error = unsafe { raw::balance_of(amount.as_mut_ptr(), id) };
    (error, amount[0])
}

pub(crate) fn destruct() {
    // SAFETY: no memory is involved.
    check(unsafe { raw::self_destruct(1) });
}

/// The meaning of an address, or an error number.
pub(crate) fn resolve(address: &[u8]) -> (u32, u64) {
    let mut id = 0;
    // SAFETY: the address has the size that is said.
    let error = unsafe { raw::resolve_address(&mut id, address.as_ptr(), address.len()) };
    (error, id)
}

/// A part of an actor's code CID, or an error number.
pub(crate) fn code_of(id: u64) -> (u32, u64) {
    let (mut size, mut cid) = (0, [0_u8; 64]);
    // SAFETY: there is room for a CID.
    let error = unsafe { raw::get_actor_code_cid(&mut size, id, cid.as_mut_ptr(), cid.len()) };
    (error, crate::cbor::little(&cid[30..38]))
}

/// The code of a kind of built-in actors.
pub(crate) fn code_of_kind(kind: i32) -> Cid {
    let (mut size, mut cid) = (0, [0; 38]);
    // SAFETY: there is room for a CID.
    check(unsafe { raw::get_code_cid_for_type(&mut size, kind, cid.as_mut_ptr(), cid.len()) });
    cid
}

/// The length of an actor's delegated address, or an error number.
pub(crate) fn delegated_of(id: u64) -> (u32, u64) {
    let (mut size, mut address) = (0, [0_u8; 64]);
    // SAFETY: there is room for an address.
    let error = unsafe { raw::lookup_delegated_address(&mut size, id, address.as_mut_ptr(), address.len()) };
    (error, u64::from(size))
}

/// Creates an actor; gives an error number.
pub(crate) fn create_actor(id: u64, code: &[u8], address: &[u8]) -> u32 {
    if code.len() != 38 {
        fail(44)
    }
    // SAFETY: a whole CID, and an address of the size that is said.
    unsafe { raw::create_actor(id, code.as_ptr(), address.as_ptr(), address.len()) }
}

/// How a call went.
pub(crate) struct Called {
    pub(crate) error: u32,
    pub(crate) exit: u32,
    pub(crate) result: Vec<u8>,
}

impl Called {
    pub(crate) fn ok(&self) -> bool {
        self.error == 0 && self.exit == 0
    }
}

pub(crate) fn send(to: &[u8], method: u64, params: &[u8], value: u64, gas: u64, read_only: bool) -> Called {
    let params = match params {
        [] => 0,
        params => block(CBOR, params),
    };
    let mut sent = [0_u8; 20];
    // SAFETY: the address has the size that is said; the result is an exit code, a block, its codec and its size.
    let error = unsafe {
        raw::send(
            sent.as_mut_ptr(),
            to.as_ptr(),
            to.len(),
            method,
            params,
            0,
            value,
            gas,
            u64::from(read_only),
        )
    };
    let number = |from: usize| crate::cbor::little(&sent[from..from + 4]) as u32;
    let result = match (error, number(4)) {
        (0, block) if block != 0 => content(block, number(16) as usize),
        _ => Vec::new(),
    };
    Called { error, exit: number(0), result }
}

pub(crate) fn event(data: &[u8]) {
    let mut entry = [0; 24];
    entry[0] = 3;
    entry[8..16].copy_from_slice(&RAW.to_le_bytes());
    entry[16..20].copy_from_slice(&1_u32.to_le_bytes());
    entry[20..].copy_from_slice(&(data.len() as u32).to_le_bytes());
    // SAFETY: one entry, and a key and a value of the sizes that are said.
    check(unsafe { raw::emit_event(entry.as_ptr(), 1, b"d".as_ptr(), 1, data.as_ptr(), data.len()) });
}

pub(crate) fn sha256(data: &[u8]) -> [u8; 32] {
    digest(SHA2_256, data)
}

pub(crate) fn blake2b(data: &[u8]) -> [u8; 32] {
    digest(BLAKE2B_256, data)
}

fn digest(code: u64, data: &[u8]) -> [u8; 32] {
    let (mut size, mut digest) = (0, [0; 32]);
    // SAFETY: `data` has the size that is said, and there is room for the digest.
    check(unsafe { raw::hash(&mut size, code, data.as_ptr(), data.len(), digest.as_mut_ptr(), 32) });
    digest
}
