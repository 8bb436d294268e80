"""The Ethereum Foundation's executable specification: its transition tool, many times in one process."""

import io
import json
import logging
import re

from ethereum_spec_tools.evm_tools import create_parser
from ethereum_spec_tools.evm_tools.t8n import T8N, ForkCache
from forks import Fork
from transactions import encode

# What tests call the reasons for which the specification refuses transactions.
_REASONS = {
    "NonceMismatchError('nonce too low')": "NONCE_MISMATCH_TOO_LOW",
    "NonceMismatchError('nonce too high')": "NONCE_MISMATCH_TOO_HIGH",
    "InsufficientBalanceError": "INSUFFICIENT_ACCOUNT_FUNDS",
    "InsufficientTransactionGasError": "INTRINSIC_GAS_TOO_LOW|INTRINSIC_GAS_BELOW_FLOOR_GAS_COST",
    "GasUsedExceedsLimitError": "GAS_ALLOWANCE_EXCEEDED",
    "InsufficientMaxFeePerGasError": "INSUFFICIENT_MAX_FEE_PER_GAS",
    "PriorityFeeGreaterThanMaxFeeError": "PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS",
    "InsufficientMaxFeePerBlobGasError": "INSUFFICIENT_MAX_FEE_PER_BLOB_GAS",
    "InvalidBlobVersionedHashError": "TYPE_3_TX_INVALID_BLOB_VERSIONED_HASH",
    "BlobGasLimitExceededError": "TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED",
    "InitCodeTooLargeError": "INITCODE_SIZE_EXCEEDED",
    "TransactionGasLimitExceededError": "GAS_LIMIT_EXCEEDS_MAXIMUM",
    "InvalidSenderError": "SENDER_NOT_EOA",
    # A price below the base fee, in a transaction of the types that came before base fees.
    "InvalidBlock": "INSUFFICIENT_MAX_FEE_PER_GAS",
}


def reason(refusal: str) -> str:
    """What tests call the reason that the tool gives for a refusal."""
    words = refusal.removeprefix("Failed transaction: ")
    names = _REASONS.get(words) or _REASONS.get(re.split(r"\W", words)[0])
    if names is None:
        raise ValueError(f"there is no name for the reason of this refusal: {refusal}")
    return "|".join(f"TransactionException.{name}" for name in names.split("|"))


class Oracle:
    """The specification of one fork."""

    def __init__(self, fork: Fork):
        flags = ["--input.alloc", "stdin", "--input.env", "stdin", "--input.txs", "stdin", "--state.fork", fork.name]
        self._options = create_parser().parse_args(["t8n", *flags])
        self._cache = ForkCache()

    def tool(self, alloc: dict, env: dict, transactions: list) -> T8N:
        """The tool with its input, before it runs."""
        stdin = {"alloc": alloc, "env": env, "txs": "0x" + encode(transactions).hex()}
        tool = T8N(self._options, io.StringIO(), io.StringIO(json.dumps(stdin)), self._cache)
        self._module = tool.fork.hardfork.module
        # It warns of each transaction that it refuses, unless it is told not to after it was made.
        logging.getLogger("T8N").setLevel(logging.ERROR)
        return tool

    def state_root(self, state) -> bytes:
        """The root of a state."""
        return bytes(self._module("state").state_root(state))

    def copy(self, state):
        """A state that changes by itself."""
        copy_trie = self._module("trie").copy_trie
        copied = self._module("state").State()
        copied._main_trie = copy_trie(state._main_trie)
        copied._storage_tries = {address: copy_trie(trie) for address, trie in state._storage_tries.items()}
        return copied

    def nonce(self, state, address: bytes) -> int:
        """The nonce of an account, which need not exist."""
        return int(self._module("state").get_account(state, self._module("fork_types").Address(address)).nonce)

    def addresses(self, state) -> list[bytes]:
        """All accounts of a state."""
        return [bytes(address) for address in state._main_trie._data]

    def accounts(self, state) -> dict:
        """A state as tests have it."""
        word = lambda number: f"0x{number:064x}"  # noqa: E731
        accounts = {}
        for address, account in state._main_trie._data.items():
            trie = state._storage_tries.get(address)
            storage = {"0x" + slot.hex(): word(int(value)) for slot, value in trie._data.items()} if trie else {}
            accounts["0x" + address.hex()] = {
                "balance": hex(account.balance),
                "nonce": hex(account.nonce),
                "code": "0x" + account.code.hex(),
                "storage": storage,
            }
        return accounts

    def transactions_root(self, transactions: list) -> bytes:
        """The root of a body's transactions."""
        trie = self._module("trie")
        tree = trie.Trie(secured=False, default=None)
        for index, transaction in enumerate(transactions):
            trie.trie_set(tree, encode(index), transaction if isinstance(transaction, bytes) else encode(transaction))
        return bytes(trie.root(tree))
