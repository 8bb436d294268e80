"""Transactions of all types, encoded and signed."""

from dataclasses import dataclass, field

import coincurve
from ethereum.crypto.hash import keccak256
from ethereum_rlp import rlp
from ethereum_types.numeric import Uint

CHAIN_ID = 1


def encode(item) -> bytes:
    """The RLP of bytes, numbers and lists of them."""
    return rlp.encode(_plain(item))


def _plain(item):
    if isinstance(item, list | tuple):
        return [_plain(part) for part in item]
    return Uint(item) if isinstance(item, int) else item


class Key:
    """A private key and its address."""

    def __init__(self, seed: bytes):
        self._key = coincurve.PrivateKey(bytes(keccak256(seed)))
        self.address = bytes(keccak256(self._key.public_key.format(compressed=False)[1:])[12:])

    def sign(self, message: bytes) -> tuple[int, int, int]:
        """Parity, r and s for the hash of a message."""
        signature = self._key.sign_recoverable(bytes(keccak256(message)), hasher=None)
        return signature[64], int.from_bytes(signature[:32]), int.from_bytes(signature[32:64])


@dataclass
class Transaction:
    """A transaction before it is signed. Its type says which of the fields it has."""

    kind: int
    nonce: int
    gas: int
    # Nothing for a creation.
    to: bytes
    value: int
    data: bytes
    max_fee: int
    priority_fee: int = 0
    # Whether a legacy transaction is bound to the chain (EIP-155).
    protected: bool = False
    access_list: list = field(default_factory=list)
    max_blob_fee: int = 0
    blobs: list[bytes] = field(default_factory=list)
    authorizations: list = field(default_factory=list)

    def signed(self, key: Key):
        """The transaction as a body holds it: a list if it is a legacy one, else bytes."""
        content = [self.nonce, self.max_fee, self.gas, self.to, self.value, self.data]
        if self.kind == 0:
            bound = [CHAIN_ID, b"", b""] if self.protected else []
            parity, r, s = key.sign(encode(content + bound))
            return _plain([*content, parity + (35 + 2 * CHAIN_ID if self.protected else 27), r, s])
        if self.kind == 1:
            content = [CHAIN_ID, *content, self.access_list]
        else:
            fees = [self.priority_fee, self.max_fee]
            content = [CHAIN_ID, self.nonce, *fees, self.gas, self.to, self.value, self.data, self.access_list]
        if self.kind == 3:
            content += [self.max_blob_fee, self.blobs]
        if self.kind == 4:
            content.append(self.authorizations)
        kind = bytes([self.kind])
        return kind + encode([*content, *key.sign(kind + encode(content))])


def authorization(key: Key, chain_id: int, target: bytes, nonce: int) -> list:
    """An authorization to run the code of `target` (EIP-7702)."""
    content = [chain_id, target, nonce]
    return [*content, *key.sign(b"\x05" + encode(content))]


def created_address(creator: bytes, nonce: int) -> bytes:
    """Where an account's creation with this nonce goes."""
    return bytes(keccak256(encode([creator, nonce]))[12:])
