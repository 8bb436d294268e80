//! What the bytes of a code mean: instructions, or a delegation (EIP-7702).

use alloy_primitives::Bytes;
use revm::bytecode::Bytecode;

/// Prepares a code for execution under the newest rules. Exactly 0xef0100 and 20 bytes are a delegation; whatever else begins with
/// 0xef, from before EIP-3541 or a genesis, is code whose first instruction is invalid.
pub(crate) fn decode(code: Bytes) -> Bytecode {
    Bytecode::new_eip7702_raw(code.clone()).unwrap_or_else(|_| Bytecode::new_legacy(code))
}

/// Prepares a code for execution where no code is a delegation.
pub(crate) fn plain(code: Bytes) -> Bytecode {
    Bytecode::new_legacy(code)
}

/// A code as it is executed before Prague, if `delegates` is false, or from then on. Codes are kept from fork to fork, and only few
/// differ.
pub(crate) fn under_rules(code: &Bytecode, delegates: bool) -> Bytecode {
    match code.original_byte_slice() {
        [0xef, 0x01, 0x00, ..] if code.is_eip7702() != delegates => {
            let bytes = code.original_bytes();
            if delegates { decode(bytes) } else { plain(bytes) }
        }
        _ => code.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delegation(length: usize) -> Bytes {
        [&[0xef, 0x01, 0x00][..], &[0x11; 20], &[0; 20]].concat()[..length].to_vec().into()
    }

    #[test]
    fn only_three_bytes_and_an_address_are_a_delegation() {
        for length in 0..43 {
            let code = decode(delegation(length));
            assert_eq!(code.is_eip7702(), length == 23, "{length} bytes");
            assert_eq!(code.original_bytes(), delegation(length));
        }
        for version in 1..=255 {
            let mut bytes = delegation(23).to_vec();
            bytes[2] = version;
            assert!(decode(bytes.into()).is_legacy(), "version {version}");
        }
    }

    #[test]
    fn a_code_that_is_kept_changes_its_meaning_at_the_fork() {
        let new = decode(delegation(23));
        let old = under_rules(&new, false);
        assert!(old.is_legacy());
        assert_eq!(under_rules(&old, true), new);
        assert_eq!(under_rules(&old, false), old);
        assert_eq!(under_rules(&new, true), new);
        assert_eq!(new.original_bytes(), old.original_bytes());
    }
}
