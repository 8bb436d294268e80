//! Creating contracts: the caller asks actor 10, which gives the new contract its address and asks actor 1, which gives it an ID, creates
//! the actor and has it make its state.

use alloc::vec::Vec;

use crate::cbor::{Reader, Writer};
use crate::sys::{self, Called, Context, DAG_CBOR, fail};
use crate::{CONSTRUCT, Counts, hamt};

pub(crate) const INIT: u64 = 1;
pub(crate) const EAM: u64 = 10;

/// Actor 10's method for contracts; parameters are a nonce and a program.
pub(crate) const BY_CONTRACT: u64 = 2;
/// Actor 10's method for accounts; parameters are a program, the nonce is the message's.
pub(crate) const BY_ACCOUNT: u64 = 4;
/// Actor 1's method; parameters are twenty bytes of address and a program.
pub(crate) const EXEC: u64 = 3;

/// Where contracts stand in the world's list of built-in actors, from one on.
const CONTRACT: i32 = 9;

/// All gas there is.
const GAS: u64 = u64::MAX;

/// The address of an actor by its ID, for IDs of less than seven bits.
fn by_id(id: u64) -> [u8; 2] {
    [0, id as u8]
}

/// Asks actor 10 for a contract.
pub(crate) fn ask(counts: &mut Counts, caller: u64, nonce: u64, program: &[u8], value: u64) -> Called {
    // Actor 10 knows the caller by itself; calling it in its own name would be calling itself.
    if caller == EAM {
        fail(49)
    }
    let mut params = nonce.to_le_bytes().to_vec();
    params.extend_from_slice(program);
    let mut called = sys::send(&by_id(EAM), BY_CONTRACT, &params, value, GAS, false);
    if called.ok() {
        called.result = counts.add(&called.result);
    }
    called
}

pub(crate) fn by_contract(counts: &mut Counts, context: &Context, params: &[u8]) -> Vec<u8> {
    let mut params = Reader(params);
    let nonce = crate::cbor::little(params.take(8));
    create(counts, context, nonce, params.0)
}

pub(crate) fn by_account(counts: &mut Counts, context: &Context, params: &[u8]) -> Vec<u8> {
    create(counts, context, context.sequence, params)
}

/// Gives the new contract's ID.
fn create(counts: &mut Counts, context: &Context, nonce: u64, program: &[u8]) -> Vec<u8> {
    let mut name = [0; 16];
    name[..8].copy_from_slice(&context.caller.to_be_bytes());
    name[8..].copy_from_slice(&nonce.to_be_bytes());
    let mut params = sys::blake2b(&name)[12..].to_vec();
    params.extend_from_slice(program);
    let called = sys::send(&by_id(INIT), EXEC, &params, context.value, GAS, false);
    if !called.ok() {
        fail(50 + called.error + called.exit)
    }
    counts.created += 1;
    counts.add(&called.result)
}

/// Actor 1: maps the address to an ID and creates the actor there, also if the address received something before.
pub(crate) fn exec(counts: &mut Counts, context: &Context, params: &[u8]) -> Vec<u8> {
    if context.caller != EAM {
        fail(18)
    }
    let mut params = Reader(params);
    // A delegated address, in the name space of actor 10.
    let mut address = [4, 10].to_vec();
    address.extend_from_slice(params.take(20));
    let data = sys::load(&sys::root());
    let mut state = Reader(&data);
    if state.array() != 3 {
        fail(41)
    }
    let (addresses, next, name) = (state.link(), state.number(), state.text());
    let mut addresses = hamt::Node::load(&addresses);
    let id = match addresses.get(&address) {
        Some(id) => id,
        None => {
            addresses.insert(&address, next);
            let mut writer = Writer::default();
            writer.array(3);
            writer.link(&addresses.save());
            writer.number(next + 1);
            writer.text(name);
            sys::set_root(&sys::save(DAG_CBOR, &writer.0));
            next
        }
    };
    let error = sys::create_actor(id, &sys::code_of_kind(CONTRACT), &address);
    if error != 0 {
        fail(60 + error)
    }
    let mut to = [0].to_vec();
    let mut rest = id;
    while rest >= 128 {
        to.push(rest as u8 | 128);
        rest >>= 7;
    }
    to.push(rest as u8);
    let called = sys::send(&to, CONSTRUCT, params.0, context.value, GAS, false);
    if !called.ok() {
        fail(70 + called.error + called.exit)
    }
    counts.add(&called.result);
    id.to_le_bytes().to_vec()
}
