use alloy_primitives::U256;
use std::fmt;

/// Bytes in an inline value: a slot of 32 bytes with its RLP header.
const INLINE: usize = 33;

/// The value in a leaf, never empty. Slots need no allocation of their own.
#[derive(Clone)]
pub(crate) enum Value {
    Inline { len: u8, bytes: [u8; INLINE] },
    Heap(Box<[u8]>),
}

impl Value {
    /// The value of these bytes, or `None` where there are none: an empty value is an absent one.
    pub(crate) fn new(bytes: &[u8]) -> Option<Self> {
        match bytes.len() {
            0 => None,
            len @ ..=INLINE => {
                let mut inline = [0; INLINE];
                inline[..len].copy_from_slice(bytes);
                Some(Self::Inline { len: len as u8, bytes: inline })
            }
            _ => Some(Self::Heap(bytes.into())),
        }
    }

    /// A slot's value as its leaf holds it; `None` for zero.
    pub(crate) fn slot(value: U256) -> Option<Self> {
        if value.is_zero() { None } else { Self::new(&alloy_rlp::encode_fixed_size(&value)) }
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Inline { len, bytes } => &bytes[..usize::from(*len)],
            Self::Heap(bytes) => bytes,
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", alloy_primitives::hex::encode_prefixed(self.as_slice()))
    }
}
