use alloy_primitives::U256;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A number as geth writes it: decimal, or hexadecimal after `0x`; in quotes or not. Any length, without passing through
/// a float.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Number(pub(super) U256);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        parse(raw.get()).map(Self).map_err(D::Error::custom)
    }
}

/// Parses a JSON value.
fn parse(json: &str) -> Result<U256, String> {
    let quoted = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let text = quoted.unwrap_or(json);
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) if quoted.is_some() => (digits, 16),
        _ => (text, 10),
    };
    let is_digit = |byte: u8| char::from(byte).is_digit(radix as u32);
    // The empty string and `0x` are zero to geth.
    if digits.is_empty() && quoted.is_some() {
        return Ok(U256::ZERO);
    }
    if digits.is_empty() || !digits.bytes().all(is_digit) {
        return Err(format!("{json} is not a number"));
    }
    U256::from_str_radix(digits, radix).map_err(|_| format!("{json} has more than 256 bits"))
}

/// Parses up to 32 bytes in hexadecimal digits, with or without `0x`, as a number.
pub(super) fn parse_word(text: &str) -> Result<U256, String> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    if digits.len() > 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(format!("{text:?} is not a word of up to 32 bytes in hexadecimal digits"));
    }
    Ok(U256::from_str_radix(digits, 16).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_decimal_or_hexadecimal() {
        let ttd = "58750000000000000000001";
        for (json, value) in [
            ("0", U256::ZERO),
            ("17", U256::from(17)),
            ("\"17\"", U256::from(17)),
            ("\"0x11\"", U256::from(17)),
            ("\"0X1f\"", U256::from(31)),
            ("\"\"", U256::ZERO),
            ("\"0x\"", U256::ZERO),
            (ttd, ttd.parse().unwrap()),
        ] {
            assert_eq!(parse(json), Ok(value), "{json}");
        }
        let too_long = format!("\"0x1{}\"", "0".repeat(64));
        for json in ["null", "1.5", "1e3", "-1", "\"-1\"", "\"0x-1\"", "\"1_0\"", "[]", "\"zz\"", &too_long] {
            assert!(parse(json).is_err(), "{json}");
        }
    }

    #[test]
    fn words_are_padded_on_the_left() {
        assert_eq!(parse_word("0x1"), Ok(U256::ONE));
        assert_eq!(parse_word("0010"), Ok(U256::from(16)));
        assert_eq!(parse_word(&"ff".repeat(32)), Ok(U256::MAX));
        assert_eq!(parse_word(""), Ok(U256::ZERO));
        assert!(parse_word(&"0".repeat(65)).is_err());
        assert!(parse_word("0xg").is_err());
    }
}
