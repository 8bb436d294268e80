"""Chains of blocks whose headers state what the oracle computed, as official blockchain tests have them."""

from random import Random

from ethereum.crypto.hash import keccak256
from ethereum_rlp import rlp
from forks import Fork
from oracle import Oracle, reason
from scenario import GAS_LIMIT, Moment, Scenario
from transactions import encode

_NO_OMMERS = bytes(keccak256(encode([])))
_EMPTY_ROOT = bytes(keccak256(encode(b"")))
# SHA-256 of nothing (EIP-7685).
_NO_REQUESTS = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
_GAS_PER_BLOB = 131_072
_BLOBS = 6

# Blocks with a transaction that must be refused, for each valid block at most.
_REFUSED = 2

# Fields of a header that say what came of execution.
_RESULTS = ["stateRoot", "receiptsRoot", "logsBloom", "gasUsed", "requestsHash"]


def block_hash(header: dict) -> bytes:
    """The hash of a header, whose fields are in the order of their encoding."""
    return bytes(keccak256(encode(list(header.values()))))


def _hex(content: bytes) -> str:
    return "0x" + content.hex()


class Builder:
    """Builds a chain on a state of its own, block after block."""

    def __init__(self, fork: Fork, oracle: Oracle, rng: Random, transactions: int):
        self.fork, self.oracle, self.rng, self.count = fork, oracle, rng, transactions
        self.scenario = Scenario(fork, rng)
        self.pre = {_hex(at): account.as_json() for at, account in self.scenario.accounts.items()}
        self.state = oracle.tool(self.pre, _any_env(), []).alloc.state
        self.genesis = self.header = self._genesis_header()
        self.hashes = {"0x0": _hex(block_hash(self.header))}
        self.blocks: list[dict] = []
        self.transactions = self.refused = self.withdrawals = 0

    def _genesis_header(self) -> dict:
        fork = self.fork
        header = {
            "parentHash": bytes(32),
            "ommersHash": _NO_OMMERS,
            "beneficiary": bytes(20),
            "stateRoot": self.oracle.state_root(self.state),
            "transactionsRoot": _EMPTY_ROOT,
            "receiptsRoot": _EMPTY_ROOT,
            "logsBloom": bytes(256),
            "difficulty": 0 if fork.since("Paris") else 0x20000,
            "number": 0,
            "gasLimit": GAS_LIMIT,
            "gasUsed": 0,
            "timestamp": 1_000,
            "extraData": b"",
            "mixHash": bytes(32),
            "nonce": bytes(8),
        }
        if fork.since("London"):
            header["baseFeePerGas"] = 10**9
        if fork.since("Shanghai"):
            header["withdrawalsRoot"] = _EMPTY_ROOT
        if fork.since("Cancun"):
            header["blobGasUsed"] = 0
            header["excessBlobGas"] = self.rng.choice([0, 10 * _GAS_PER_BLOB, 50_000_000])
            header["parentBeaconBlockRoot"] = bytes(32)
        if fork.since("Prague"):
            header["requestsHash"] = _NO_REQUESTS
        return header

    def build(self) -> None:
        """Adds a block; before it, blocks that would be in its place if they were valid."""
        withdrawals = self.scenario.withdrawals(self.withdrawals) if self.fork.since("Shanghai") else []
        self.withdrawals += len(withdrawals)
        env = self._env(withdrawals)
        transactions, refusals = self._propose(env)
        tool = self.oracle.tool({}, env, transactions)
        tool.alloc.state = self.state
        tool.run_blockchain_test()
        result = tool.result
        if result.rejected or result.block_exception:
            raise RuntimeError(f"the oracle contradicts itself: {result.rejected} {result.block_exception}")
        self.state = tool.alloc.state
        header = self._header(env, tool, transactions)
        # No more than a few, since a spoiled nonce can spoil what follows.
        for before, transaction, words in refusals[:_REFUSED]:
            body = [*transactions[:before], transaction]
            spoiled = header | {"transactionsRoot": self.oracle.transactions_root(body)}
            if "blobGasUsed" in spoiled:
                spoiled["blobGasUsed"] = blob_gas(body)
            self.blocks.append({"rlp": self._block(spoiled, body, withdrawals), "expectException": reason(words)})
            self.refused += 1
        self.blocks.append({
            "rlp": self._block(header, transactions, withdrawals),
            "blockHeader": {"hash": _hex(block_hash(header))},
            # For an investigation of a difference; no part of the format.
            "receipts": [
                {name: part for name, part in receipt.items() if name != "bloom"}
                for receipt in result.to_json()["receipts"]
            ],
        })
        self.last = (header, transactions, withdrawals)
        self.header = header
        self.hashes[hex(header["number"])] = _hex(block_hash(header))
        self.transactions += len(transactions)

    def _env(self, withdrawals: list) -> dict:
        """The next block's surroundings. What follows from the parent's header is left to the oracle."""
        rng, parent = self.rng, self.header
        env = {
            "currentCoinbase": _hex(self.scenario.beneficiary.address),
            "currentGasLimit": hex(GAS_LIMIT),
            "currentNumber": hex(parent["number"] + 1),
            "currentTimestamp": hex(parent["timestamp"] + rng.choice([1, 12, 15])),
            "currentRandom": _hex(rng.randbytes(32)),
            "blockHashes": self.hashes,
            "parentTimestamp": hex(parent["timestamp"]),
            "parentDifficulty": hex(parent["difficulty"]),
            "parentUncleHash": _hex(_NO_OMMERS),
            "parentGasUsed": hex(parent["gasUsed"]),
            "parentGasLimit": hex(parent["gasLimit"]),
            "parentBeaconBlockRoot": _hex(rng.randbytes(32)),
            "withdrawals": [
                {"index": hex(index), "validatorIndex": hex(validator), "address": _hex(to), "amount": hex(amount)}
                for index, validator, to, amount in withdrawals
            ],
        }
        if self.fork.since("London"):
            env["parentBaseFee"] = hex(parent["baseFeePerGas"])
        if self.fork.since("Cancun"):
            env["parentBlobGasUsed"] = hex(parent["blobGasUsed"])
            env["parentExcessBlobGas"] = hex(parent["excessBlobGas"])
        return env

    def _propose(self, env: dict) -> tuple[list, list[tuple[int, object, str]]]:
        """The next block's transactions; and those refused, each with the number of those before it and the reason.

        Each is made when those before it have been executed, for the state that they leave.
        """
        tool = self.oracle.tool({}, env, [])
        tool.alloc.state = self.oracle.copy(self.state)
        moment = Moment(self.oracle, tool.alloc.state, int(tool.env.base_fee_per_gas or 0), _BLOBS)
        proposed = []

        def made_on_the_way():
            while len(proposed) < self.count:
                proposed.append(self.scenario.transaction(moment))
                yield tool.txs.parse_rlp_tx(proposed[-1])

        tool.txs.transactions = made_on_the_way()
        tool.txs.successfully_parsed = range(self.count)
        tool.run_blockchain_test()
        accepted, refused = [], []
        for index, transaction in enumerate(proposed):
            if words := tool.txs.rejected_txs.get(index):
                refused.append((len(accepted), transaction, words))
            else:
                accepted.append(transaction)
        return accepted, refused

    def _header(self, env: dict, tool, transactions: list) -> dict:
        result, parent = tool.result, self.header
        header = {
            "parentHash": block_hash(parent),
            "ommersHash": _NO_OMMERS,
            "beneficiary": self.scenario.beneficiary.address,
            "stateRoot": bytes(result.state_root),
            "transactionsRoot": bytes(result.tx_root),
            "receiptsRoot": bytes(result.receipt_root),
            "logsBloom": bytes(result.bloom),
            "difficulty": int(tool.env.block_difficulty or 0),
            "number": parent["number"] + 1,
            "gasLimit": GAS_LIMIT,
            "gasUsed": int(result.gas_used),
            "timestamp": int(env["currentTimestamp"], 16),
            "extraData": b"oracle",
            "mixHash": bytes.fromhex(env["currentRandom"][2:]),
            "nonce": bytes(8),
        }
        if self.fork.since("London"):
            header["baseFeePerGas"] = int(tool.env.base_fee_per_gas)
        if self.fork.since("Shanghai"):
            header["withdrawalsRoot"] = bytes(result.withdrawals_root)
        if self.fork.since("Cancun"):
            header["blobGasUsed"] = blob_gas(transactions)
            header["excessBlobGas"] = int(tool.env.excess_blob_gas)
            header["parentBeaconBlockRoot"] = bytes.fromhex(env["parentBeaconBlockRoot"][2:])
        if self.fork.since("Prague"):
            header["requestsHash"] = bytes(result.requests_hash)
        return header

    def _block(self, header: dict, transactions: list, withdrawals: list) -> str:
        body = [transactions, []] + [withdrawals] * ("withdrawalsRoot" in header)
        return _hex(encode([list(header.values()), *body]))

    def test(self) -> dict:
        """The chain as a test."""
        return {
            "network": self.fork.name,
            "genesisBlockHeader": {"hash": _hex(block_hash(self.genesis))},
            "genesisRLP": self._block(self.genesis, [], []),
            "pre": self.pre,
            "blocks": self.blocks,
            "lastblockhash": _hex(block_hash(self.header)),
            "postState": self.oracle.accounts(self.state),
        }

    def falsified(self) -> dict[str, dict]:
        """By field, the chain with a last header that states something wrong there."""
        header, transactions, withdrawals = self.last
        tests = {}
        for field in (field for field in _RESULTS if field in header):
            value = header[field]
            wrong = value + 1 if isinstance(value, int) else bytes([value[0] ^ 1]) + value[1:]
            wrong_header = header | {field: wrong}
            blocks = [*self.blocks[:-1], {"rlp": self._block(wrong_header, transactions, withdrawals)}]
            last = _hex(block_hash(wrong_header))
            tests[field] = self.test() | {"blocks": blocks, "lastblockhash": last}
        return tests


def blob_gas(transactions: list) -> int:
    """Blob gas of a body: by the versioned hashes of its transactions."""
    blobs = (rlp.decode(content[1:])[10] for content in transactions if content[:1] == b"\3")
    return sum(map(len, blobs)) * _GAS_PER_BLOB


def _any_env() -> dict:
    """Surroundings of no block, for reading a state."""
    return {
        "currentCoinbase": _hex(bytes(20)),
        "currentGasLimit": "0x1",
        "currentNumber": "0x1",
        "currentTimestamp": "0x1",
        "currentDifficulty": "0x1",
        "currentBaseFee": "0x1",
        "currentExcessBlobGas": "0x0",
        "currentRandom": "0x0",
        "parentBeaconBlockRoot": _hex(bytes(32)),
        "withdrawals": [],
    }
