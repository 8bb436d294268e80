use crate::rejection::Rejection;
use tandem_chain::{BlockError, BodyFault, HeaderFault};
use tandem_evm::InvalidBlock;
use tandem_evm::revm::context::result::InvalidTransaction;

/// The names of transaction exceptions in current tests.
pub(super) fn is_transaction_exception(name: &str, rejection: &Rejection) -> Option<bool> {
    use InvalidTransaction as Tx;
    let malformed = match rejection {
        Rejection::Malformed(_) => true,
        Rejection::Undecodable(error) => error.field.starts_with("transactions["),
        _ => false,
    };
    let body = |test: fn(&BodyFault) -> bool| match rejection {
        Rejection::Unfit(error) => matches!(&**error, BlockError::Body(error) if test(&error.fault)),
        _ => false,
    };
    let too_early = |ty: u8| match rejection {
        Rejection::Unfit(error) => matches!(
            &**error,
            BlockError::Body(error) if matches!(error.fault, BodyFault::TransactionType { found, .. } if found == ty)
        ),
        _ => false,
    };
    let transaction = match rejection {
        Rejection::Transaction(error) => Some(error),
        _ => None,
    };
    let is = |test: fn(&Tx) -> bool| transaction.is_some_and(test);
    Some(match name {
        "INSUFFICIENT_ACCOUNT_FUNDS" => is(|error| matches!(error, Tx::LackOfFundForMaxFee { .. })),
        // Transactions hold prices in 128 bits: a price beyond all funds has no encoding.
        "GASLIMIT_PRICE_PRODUCT_OVERFLOW" => {
            malformed || is(|error| matches!(error, Tx::OverflowPaymentInTransaction))
        }
        "INTRINSIC_GAS_TOO_LOW" => is(|error| matches!(error, Tx::CallGasCostMoreThanGasLimit { .. })),
        "INTRINSIC_GAS_BELOW_FLOOR_GAS_COST" => {
            is(|error| matches!(error, Tx::GasFloorMoreThanGasLimit { .. }))
        }
        "SENDER_NOT_EOA" => is(|error| matches!(error, Tx::RejectCallerWithCode)),
        "INITCODE_SIZE_EXCEEDED" => is(|error| matches!(error, Tx::CreateInitCodeSizeLimit)),
        "INSUFFICIENT_MAX_FEE_PER_GAS" => is(|error| matches!(error, Tx::GasPriceLessThanBasefee)),
        "PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS" | "PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS_2" => {
            is(|error| matches!(error, Tx::PriorityFeeGreaterThanMaxFee))
        }
        "INSUFFICIENT_MAX_FEE_PER_BLOB_GAS" => {
            is(|error| matches!(error, Tx::BlobGasPriceGreaterThanMax { .. }))
        }
        "GAS_ALLOWANCE_EXCEEDED" => {
            is(|error| matches!(error, Tx::CallerGasLimitMoreThanBlock))
                || matches!(rejection, Rejection::Block(InvalidBlock::GasLimit { .. }))
        }
        "GAS_LIMIT_EXCEEDS_MAXIMUM" => is(|error| matches!(error, Tx::TxGasLimitGreaterThanCap { .. })),
        "NONCE_IS_MAX" | "NONCE_TOO_BIG" => is(|error| matches!(error, Tx::NonceOverflowInTransaction)),
        "NONCE_MISMATCH_TOO_LOW" => is(|error| matches!(error, Tx::NonceTooLow { .. })),
        "NONCE_MISMATCH_TOO_HIGH" => is(|error| matches!(error, Tx::NonceTooHigh { .. })),
        "INVALID_CHAINID" => is(|error| matches!(error, Tx::InvalidChainId | Tx::MissingChainId)),
        "TYPE_NOT_SUPPORTED" => {
            is(is_type_not_supported) || body(|fault| matches!(fault, BodyFault::TransactionType { .. }))
        }
        "TYPE_1_TX_PRE_FORK" => is(|error| matches!(error, Tx::Eip2930NotSupported)) || too_early(1),
        "TYPE_2_TX_PRE_FORK" => is(|error| matches!(error, Tx::Eip1559NotSupported)) || too_early(2),
        "TYPE_3_TX_PRE_FORK" | "TYPE_3_TX_ZERO_BLOBS_PRE_FORK" => {
            is(|error| matches!(error, Tx::Eip4844NotSupported)) || too_early(3)
        }
        "TYPE_4_TX_PRE_FORK" => is(|error| matches!(error, Tx::Eip7702NotSupported)) || too_early(4),
        "TYPE_3_TX_ZERO_BLOBS" => is(|error| matches!(error, Tx::EmptyBlobs)),
        "TYPE_3_TX_INVALID_BLOB_VERSIONED_HASH" => is(|error| matches!(error, Tx::BlobVersionNotSupported)),
        "TYPE_3_TX_BLOB_COUNT_EXCEEDED" => is(|error| matches!(error, Tx::TooManyBlobs { .. })),
        // The header states the sum over the transactions.
        "TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED" => {
            is(|error| matches!(error, Tx::TooManyBlobs { .. })) || has_too_many_blobs(rejection)
        }
        // A blob transaction without a recipient, or with its blobs, has no encoding.
        "TYPE_3_TX_CONTRACT_CREATION" => malformed || is(|error| matches!(error, Tx::BlobCreateTransaction)),
        "TYPE_4_TX_CONTRACT_CREATION" => malformed,
        "TYPE_3_TX_WITH_FULL_BLOBS" => malformed || body(|fault| matches!(fault, BodyFault::Sidecar { .. })),
        "INVALID_SIGNATURE_VRS" | "EC_RECOVERY_FAIL" => {
            malformed || matches!(rejection, Rejection::Sender(_))
        }
        "TYPE_4_INVALID_AUTHORIZATION_FORMAT"
        | "TYPE_4_INVALID_AUTHORITY_SIGNATURE"
        | "TYPE_4_INVALID_AUTHORITY_SIGNATURE_S_TOO_HIGH" => malformed,
        name if ENCODING.contains(&name) => malformed,
        "TYPE_4_EMPTY_AUTHORIZATION_LIST" => is(|error| matches!(error, Tx::EmptyAuthorizationList)),
        _ => return None,
    })
}

/// Names of what is wrong with a transaction's bytes, or of numbers that its fields have no room for.
const ENCODING: &[&str] = &[
    "ADDRESS_TOO_LONG",
    "ADDRESS_TOO_SHORT",
    "GASLIMIT_OVERFLOW",
    "GASPRICE_OVERFLOW",
    "NONCE_OVERFLOW",
    "PRIORITY_OVERFLOW",
    "RLP_ERROR_EOF",
    "RLP_ERROR_SIZE",
    "RLP_ERROR_SIZE_LEADING_ZEROS",
    "RLP_INVALID_ACCESS_LIST_ADDRESS_TOO_LONG",
    "RLP_INVALID_ACCESS_LIST_ADDRESS_TOO_SHORT",
    "RLP_INVALID_ACCESS_LIST_STORAGE_TOO_LONG",
    "RLP_INVALID_ACCESS_LIST_STORAGE_TOO_SHORT",
    "RLP_INVALID_DATA",
    "RLP_INVALID_GASLIMIT",
    "RLP_INVALID_HEADER",
    "RLP_INVALID_NONCE",
    "RLP_INVALID_SIGNATURE_R",
    "RLP_INVALID_SIGNATURE_S",
    "RLP_INVALID_TO",
    "RLP_INVALID_VALUE",
    "RLP_LEADING_ZEROS_BASEFEE",
    "RLP_LEADING_ZEROS_DATA_SIZE",
    "RLP_LEADING_ZEROS_GASLIMIT",
    "RLP_LEADING_ZEROS_GASPRICE",
    "RLP_LEADING_ZEROS_NONCE",
    "RLP_LEADING_ZEROS_NONCE_SIZE",
    "RLP_LEADING_ZEROS_PRIORITY_FEE",
    "RLP_LEADING_ZEROS_R",
    "RLP_LEADING_ZEROS_S",
    "RLP_LEADING_ZEROS_V",
    "RLP_LEADING_ZEROS_VALUE",
    "RLP_TOO_FEW_ELEMENTS",
    "RLP_TOO_MANY_ELEMENTS",
    "VALUE_OVERFLOW",
];

fn is_type_not_supported(error: &InvalidTransaction) -> bool {
    use InvalidTransaction as Tx;
    matches!(
        error,
        Tx::Eip2930NotSupported | Tx::Eip1559NotSupported | Tx::Eip4844NotSupported | Tx::Eip7702NotSupported
    )
}

/// Whether a header's blob gas is above the block's limit.
fn has_too_many_blobs(rejection: &Rejection) -> bool {
    let Rejection::Unfit(error) = rejection else { return false };
    match &**error {
        BlockError::Header(error) => matches!(
            error.fault,
            HeaderFault::BlobGasUsed { found: Some(found), highest: Some(highest) } if found > highest
        ),
        _ => false,
    }
}

/// The names that tests had until 2023, by what they are called now.
pub(super) fn is_legacy_exception(name: &str, rejection: &Rejection) -> Option<bool> {
    let names: &[&str] = match name {
        "TR_NoFunds" | "TR_NoFundsX" => &["INSUFFICIENT_ACCOUNT_FUNDS"],
        "TR_NoFundsOrGas" => &["INSUFFICIENT_ACCOUNT_FUNDS", "INTRINSIC_GAS_TOO_LOW"],
        "TR_IntrinsicGas" => &["INTRINSIC_GAS_TOO_LOW"],
        "TR_FeeCapLessThanBlocks" => &["INSUFFICIENT_MAX_FEE_PER_GAS"],
        "TR_TipGtFeeCap" => &["PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS"],
        "TR_GasLimitReached" => &["GAS_ALLOWANCE_EXCEEDED"],
        "TR_TypeNotSupported" => &["TYPE_NOT_SUPPORTED"],
        "TR_InitCodeLimitExceeded" => &["INITCODE_SIZE_EXCEEDED"],
        "TR_NonceHasMaxValue" => &["NONCE_IS_MAX"],
        "TR_NonceTooLow" => &["NONCE_MISMATCH_TOO_LOW"],
        "TR_NonceTooHigh" => &["NONCE_MISMATCH_TOO_HIGH"],
        "SenderNotEOA" => &["SENDER_NOT_EOA"],
        "TR_RLP_WRONGVALUE" => &["RLP_INVALID_VALUE"],
        "TR_EMPTYBLOB" => &["TYPE_3_TX_ZERO_BLOBS"],
        "TR_BLOBLIST_OVERSIZE" => &["TYPE_3_TX_BLOB_COUNT_EXCEEDED"],
        "TR_BLOBCREATE" => &["TYPE_3_TX_CONTRACT_CREATION"],
        "TR_BLOBVERSION_INVALID" => &["TYPE_3_TX_INVALID_BLOB_VERSIONED_HASH"],
        _ => return None,
    };
    Some(names.iter().any(|name| is_transaction_exception(name, rejection) == Some(true)))
}
