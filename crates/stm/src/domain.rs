use crate::cell::Cell;
use crate::predicate::Check;
use std::hash::Hash;

/// The state: keys, their values, how these are observed and how they change.
///
/// Locations that are always found together can share a key (an account's balance, nonce and code, say): the
/// [`Domain::Value`] then holds all of them, and [`Domain::Observation`] and [`Domain::Effect`] say which they are
/// about, so that conflicts are still told apart location by location.
pub trait Domain {
    /// Identity of a location or of several that are always used together. Compared in full: a hash only places it.
    type Key: Copy + Eq + Hash + Send + Sync;
    /// Storage of a key.
    type KeyCell: Cell<Self::Key>;
    /// The value stored under a key.
    type Value: Copy + PartialEq + Send + Sync;
    /// Storage of a value that can be read while it changes.
    type Cell: Cell<Self::Value>;
    /// An observation of a step under a key.
    type Observation: Copy + Send;
    /// An effect of a step under a key.
    type Effect: Copy + Send;

    /// Names of the kinds of location, for counting conflicts.
    const KINDS: &'static [&'static str];

    /// Tests an observation.
    fn check(observation: &Self::Observation, value: &Self::Value) -> Check;

    /// Applies an effect. Whether that changed the value. Must be total: speculation can apply it to any value.
    fn apply(effect: &Self::Effect, value: &mut Self::Value) -> bool;
}
