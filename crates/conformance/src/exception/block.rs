use crate::rejection::Rejection;
use tandem_chain::{BlockError, BodyFault, ExecutionFault, ExtraDataRule, HeaderFault, OmmerFault};
use tandem_evm::InvalidBlock;

/// The names of block exceptions in current tests.
pub(super) fn is_block_exception(name: &str, rejection: &Rejection) -> Option<bool> {
    let held = is_header_exception(name, rejection).or_else(|| is_body_exception(name, rejection));
    held.or_else(|| is_execution_exception(name, rejection))
}

/// Names of what is wrong with a header, be it the block's or an ommer's.
fn is_header_exception(name: &str, rejection: &Rejection) -> Option<bool> {
    use HeaderFault as Header;
    let fault = header_fault(rejection);
    let is = |test: fn(&Header) -> bool| fault.is_some_and(test);
    Some(match name {
        "UNKNOWN_PARENT" | "UNKNOWN_PARENT_ZERO" => matches!(rejection, Rejection::UnknownParent(_)),
        "INVALID_BLOCK_NUMBER" => is(|fault| matches!(fault, Header::Number { .. })),
        "INVALID_BLOCK_TIMESTAMP_OLDER_THAN_PARENT" => is(|fault| matches!(fault, Header::Timestamp { .. })),
        "INVALID_GASLIMIT" | "GASLIMIT_TOO_BIG" => is(|fault| matches!(fault, Header::GasLimit { .. })),
        "EXTRA_DATA_TOO_BIG" => {
            is(|fault| matches!(fault, Header::ExtraData { expected: ExtraDataRule::Short, .. }))
        }
        "EXTRA_DATA_INVALID_DAO" => {
            is(|fault| matches!(fault, Header::ExtraData { expected: ExtraDataRule::DaoFork, .. }))
        }
        "INVALID_DIFFICULTY" | "IMPORT_IMPOSSIBLE_DIFFICULTY_OVER_PARIS" => {
            is(|fault| matches!(fault, Header::Difficulty { .. }))
        }
        "INVALID_BASEFEE_PER_GAS" => is(|fault| matches!(fault, Header::BaseFee { .. })),
        "INVALID_GAS_USED_ABOVE_LIMIT" => is(|fault| matches!(fault, Header::GasUsed { .. })),
        "INCORRECT_EXCESS_BLOB_GAS" => is(|fault| matches!(fault, Header::ExcessBlobGas { .. })),
        "BLOB_GAS_USED_ABOVE_LIMIT" => is(|fault| matches!(fault, Header::BlobGasUsed { .. })),
        "IMPORT_IMPOSSIBLE_UNCLES_OVER_PARIS" => is(|fault| matches!(fault, Header::OmmersHash { .. })),
        // The block has the fields or the seal of another fork than that of its place.
        "IMPORT_IMPOSSIBLE_LONDON_WRONG_PARENT" => {
            is(|fault| matches!(fault, Header::BaseFee { found: Some(_), expected: None }))
        }
        "IMPORT_IMPOSSIBLE_LEGACY" | "IMPORT_IMPOSSIBLE_LEGACY_WRONG_PARENT" => {
            is(|fault| matches!(fault, Header::BaseFee { found: None, expected: Some(_) }))
        }
        "IMPORT_IMPOSSIBLE_PARIS_WRONG_POS" => {
            is(|fault| matches!(fault, Header::Difficulty { found, .. } if found.is_zero()))
        }
        "IMPORT_IMPOSSIBLE_PARIS_WRONG_POW" | "IMPORT_IMPOSSIBLE_LONDON_OVER_PARIS" => {
            is(|fault| matches!(fault, Header::Difficulty { expected, .. } if expected.is_zero()))
        }
        "IMPORT_IMPOSSIBLE_SHANGHAI" => {
            is(|fault| matches!(fault, Header::WithdrawalsRoot { required: false, .. }))
        }
        "IMPORT_IMPOSSIBLE_PARIS_OVER_SHANGHAI" => {
            is(|fault| matches!(fault, Header::WithdrawalsRoot { required: true, .. }))
        }
        "INCORRECT_BLOCK_FORMAT" => matches!(rejection, Rejection::Undecodable(_)) || is(is_of_another_fork),
        _ => return None,
    })
}

/// The fault of the block's header, or of an ommer's.
fn header_fault(rejection: &Rejection) -> Option<&HeaderFault> {
    let Rejection::Unfit(error) = rejection else { return None };
    match &**error {
        BlockError::Header(error) => Some(&error.fault),
        BlockError::Ommers(error) => match &error.fault {
            OmmerFault::Header { fault, .. } => Some(fault),
            _ => None,
        },
        BlockError::Body(_) => None,
    }
}

/// Whether a header has a field that its fork does not have, or lacks one.
fn is_of_another_fork(fault: &HeaderFault) -> bool {
    match fault {
        HeaderFault::BaseFee { found, expected } => found.is_some() != expected.is_some(),
        HeaderFault::BlobGasUsed { found, highest: limit }
        | HeaderFault::ExcessBlobGas { found, expected: limit } => found.is_some() != limit.is_some(),
        HeaderFault::WithdrawalsRoot { .. }
        | HeaderFault::ParentBeaconBlockRoot { .. }
        | HeaderFault::RequestsHash { .. } => true,
        _ => false,
    }
}

/// Names of what is wrong with the bytes, the body and the ommers.
fn is_body_exception(name: &str, rejection: &Rejection) -> Option<bool> {
    use OmmerFault as Ommers;
    let undecodable = matches!(rejection, Rejection::Undecodable(_));
    let error = match rejection {
        Rejection::Unfit(error) => Some(&**error),
        _ => None,
    };
    let header = |test: fn(&HeaderFault) -> bool| header_fault(rejection).is_some_and(test);
    let body = |test: fn(&BodyFault) -> bool| {
        error.is_some_and(|error| matches!(error, BlockError::Body(error) if test(&error.fault)))
    };
    let ommers = |test: fn(&Ommers) -> bool| {
        error.is_some_and(|error| matches!(error, BlockError::Ommers(error) if test(&error.fault)))
    };
    Some(match name {
        "RLP_STRUCTURES_ENCODING" | "RLP_INVALID_FIELD_OVERFLOW_64" | "RLP_INVALID_ADDRESS" => undecodable,
        "RLP_WITHDRAWALS_NOT_READ" => {
            undecodable || body(|fault| matches!(fault, BodyFault::WithdrawalsRoot { expected: None, .. }))
        }
        "RLP_BLOCK_LIMIT_EXCEEDED" => body(|fault| matches!(fault, BodyFault::Size { .. })),
        "INCORRECT_BLOB_GAS_USED" => {
            header(|fault| matches!(fault, HeaderFault::BlobGasUsed { .. }))
                || body(|fault| matches!(fault, BodyFault::BlobGasUsed { .. }))
        }
        // A block without a hash of its own beside it cannot contradict that; its body can contradict its hash.
        "INVALID_BLOCK_HASH" => body(|fault| {
            matches!(
                fault,
                BodyFault::TransactionsRoot { .. }
                    | BodyFault::WithdrawalsRoot { .. }
                    | BodyFault::OmmersHash { .. }
            )
        }),
        // The number of its transactions' hashes; a block has no other list of them than what its header counts.
        "INVALID_VERSIONED_HASHES" => body(|fault| matches!(fault, BodyFault::BlobGasUsed { .. })),
        "INVALID_WITHDRAWALS_ROOT" => body(|fault| matches!(fault, BodyFault::WithdrawalsRoot { .. })),
        "INVALID_TRANSACTIONS_ROOT" => body(|fault| matches!(fault, BodyFault::TransactionsRoot { .. })),
        "INVALID_UNCLES_HASH" => body(|fault| matches!(fault, BodyFault::OmmersHash { .. })),
        "TOO_MANY_UNCLES" => ommers(|fault| matches!(fault, Ommers::TooMany { .. })),
        "UNCLE_IN_CHAIN" => ommers(|fault| matches!(fault, Ommers::Repeated { .. })),
        "UNCLE_IS_ANCESTOR" => ommers(|fault| matches!(fault, Ommers::IsAncestor { .. })),
        "UNCLE_PARENT_INCORRECT" | "UNCLE_IS_BROTHER" | "UNCLE_UNKNOWN_PARENT" => {
            ommers(|fault| matches!(fault, Ommers::Unrelated { .. }))
        }
        _ => return None,
    })
}

/// Names of what only execution shows.
fn is_execution_exception(name: &str, rejection: &Rejection) -> Option<bool> {
    use InvalidBlock as Block;
    let mismatch = |test: fn(&ExecutionFault) -> bool| match rejection {
        Rejection::Execution(fault) => test(fault),
        _ => false,
    };
    let block = |test: fn(&Block) -> bool| match rejection {
        Rejection::Block(fault) => test(fault),
        _ => false,
    };
    Some(match name {
        "INVALID_GAS_USED" => mismatch(|fault| matches!(fault, ExecutionFault::GasUsed { .. })),
        "INVALID_LOG_BLOOM" => mismatch(|fault| matches!(fault, ExecutionFault::LogsBloom { .. })),
        "INVALID_STATE_ROOT" => mismatch(|fault| matches!(fault, ExecutionFault::StateRoot { .. })),
        "INVALID_RECEIPTS_ROOT" => mismatch(|fault| matches!(fault, ExecutionFault::ReceiptsRoot { .. })),
        "INVALID_REQUESTS" => mismatch(|fault| matches!(fault, ExecutionFault::RequestsHash { .. })),
        "GAS_USED_OVERFLOW" => {
            block(|fault| matches!(fault, Block::GasLimit { .. }))
                || matches!(header_fault(rejection), Some(HeaderFault::GasUsed { .. }))
        }
        "SYSTEM_CONTRACT_EMPTY" => block(|fault| matches!(fault, Block::NoSystemContract(_))),
        "SYSTEM_CONTRACT_CALL_FAILED" => block(|fault| matches!(fault, Block::SystemCall(_))),
        "INVALID_DEPOSIT_EVENT_LAYOUT" => block(|fault| matches!(fault, Block::Deposit(_))),
        _ => return None,
    })
}
