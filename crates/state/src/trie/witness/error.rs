use alloy_primitives::B256;

/// A contradiction in a witness.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WitnessError {
    /// A header is not the RLP of one.
    #[error("header {index} of the witness is malformed")]
    MalformedHeader {
        /// From 0, in the order of the witness.
        index: usize,
    },
    /// A header is not the child of the one before it.
    #[error("header {index} of the witness names {stated} as its parent, but the one before it is {actual}")]
    Unlinked {
        /// From 0, in the order of the witness.
        index: usize,
        /// The parent that it names.
        stated: B256,
        /// The hash of the header before it.
        actual: B256,
    },
    /// A header, or the block itself, does not have the number that follows its parent's.
    #[error(
        "header {index} of the witness, or the block after the last one, has the number {found}, its parent {parent}"
    )]
    Number {
        /// From 0, in the order of the witness; the number of headers stands for the block.
        index: usize,
        /// Its number.
        found: u64,
        /// The number of its parent.
        parent: u64,
    },
    /// There is neither a header nor a root.
    #[error("the witness states no root of the state before the block")]
    NoRoot,
    /// The last header and the witness itself state different roots.
    #[error("the witness states the root {stated}, but its last header has {header}")]
    TwoRoots {
        /// The root that is stated by itself.
        stated: B256,
        /// The root in the last header.
        header: B256,
    },
    /// The last header is not that of the block's parent.
    #[error("the last header of the witness is that of {actual}, but the block's parent is {expected}")]
    OtherParent {
        /// The parent that the block names.
        expected: B256,
        /// The hash of the last header.
        actual: B256,
    },
}
