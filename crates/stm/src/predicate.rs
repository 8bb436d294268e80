/// A condition on a location's value that a step relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Observation<T> {
    /// The value itself.
    Exact(T),
    /// A lower bound of the value, as a successful check for funds relies on.
    AtLeast(T),
}

impl<T: Ord> Observation<T> {
    /// Whether the observation holds of `value`.
    pub fn holds(&self, value: &T) -> bool {
        match self {
            Self::Exact(expected) => value == expected,
            Self::AtLeast(bound) => value >= bound,
        }
    }
}

/// A signed amount, as sign and magnitude so that unsigned types can use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Delta<T> {
    /// Adds the amount.
    Plus(T),
    /// Subtracts the amount.
    Minus(T),
}

impl<T: Ord + std::ops::Sub<Output = T>> Delta<T> {
    /// The delta that leads from `from` to `to`.
    pub fn between(from: T, to: T) -> Self {
        if to >= from { Self::Plus(to - from) } else { Self::Minus(from - to) }
    }
}

/// A change of a location's value by a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Effect<T> {
    /// Replaces the value.
    Set(T),
    /// Adds an amount to the value.
    Add(Delta<T>),
}

/// The outcome of testing an observation against a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Check {
    /// Everything relied on is unchanged.
    Holds,
    /// The value has changed, but the observation still holds.
    Moved,
    /// The observation does not hold. Names the kind of location, an index into [`crate::Domain::KINDS`].
    Violated(usize),
}
