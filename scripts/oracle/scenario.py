"""Accounts that have much to do with each other, and transactions among them."""

from dataclasses import dataclass
from random import Random

import system
from forks import Fork
from oracle import Oracle
from programs import Setting, init_code, program
from transactions import CHAIN_ID, Key, Transaction, authorization, created_address

GAS_LIMIT = 8_000_000
ETHER = 10**18

_PRECOMPILES = {"Frontier": 4, "Byzantium": 8, "Istanbul": 9, "Cancun": 10, "Prague": 17}
# Where P256VERIFY is (EIP-7951).
_P256 = 0x100
# EIP-3860.
_INITCODE_LIMIT = 49_152
# EIP-7825.
_GAS_CAP = 2**24


@dataclass
class Account:
    """An account of the state to begin with."""

    balance: int = 0
    nonce: int = 0
    code: bytes = b""
    storage: dict[int, int] | None = None

    def as_json(self) -> dict:
        """The account as tests and the oracle's input have it."""
        word = lambda number: f"0x{number:064x}"  # noqa: E731
        storage = {word(slot): word(value) for slot, value in (self.storage or {}).items()}
        return {
            "balance": hex(self.balance),
            "nonce": hex(self.nonce),
            "code": "0x" + self.code.hex(),
            "storage": storage,
        }


class Scenario:
    """A state and what happens to it, drawn from one source of chance."""

    def __init__(self, fork: Fork, rng: Random):
        self.fork, self.rng = fork, rng
        self.senders = [Key(rng.randbytes(32)) for _ in range(rng.choice([3, 8, 16]))]
        # Its owner sends transactions, too.
        self.beneficiary = Key(rng.randbytes(32))
        # Keys that sign authorizations and have no funds, or next to none.
        self.authorities = [Key(rng.randbytes(32)) for _ in range(3)]
        self.contracts = [rng.randbytes(20) for _ in range(10)]
        self.accounts = self._accounts()

    def _accounts(self) -> dict[bytes, Account]:
        rng, fork = self.rng, self.fork
        accounts = {}
        for key in self.senders:
            accounts[key.address] = Account(rng.choice([100 * ETHER] * 4 + [ETHER // 100]))
            # Storage without code or nonce, where nothing can be created (EIP-7610).
            if rng.random() < 0.2:
                accounts[created_address(key.address, 2)] = Account(storage={1: 1}, balance=1)
        accounts[self.beneficiary.address] = Account(10 * ETHER)
        accounts[self.authorities[0].address] = Account(1)
        if not fork.since("Paris"):
            # Empty accounts, which go when they are touched since EIP-161.
            accounts |= {address: Account() for address in (rng.randbytes(20), bytes(19) + b"\3")}
        for name, contracts in system.CONTRACTS.items():
            if fork.since(name):
                accounts |= {at: Account(nonce=1, code=bytes.fromhex(code)) for at, code in contracts.items()}
        setting = Setting(rng, fork, [*self.contracts * 2, *accounts, *self._precompiles(), rng.randbytes(20)])
        for address in self.contracts:
            storage = {slot: rng.choice([1, 7, 2**255]) for slot in range(5) if rng.random() < 0.5}
            code = program(setting, rng.choice([2, 5, 10]))
            accounts[address] = Account(rng.choice([0, 5, ETHER]), 1, code, storage)
        self._setting = setting
        return accounts

    def _precompiles(self) -> list[bytes]:
        count = max(number for name, number in _PRECOMPILES.items() if self.fork.since(name))
        numbers = [*range(1, count + 1)] + [_P256] * self.fork.since("Osaka")
        return [number.to_bytes(20) for number in numbers]

    def withdrawals(self, first_index: int) -> list[tuple[int, int, bytes, int]]:
        """Index, validator, recipient and amount in Gwei of some withdrawals."""
        rng = self.rng
        to = [self.beneficiary.address, *self.contracts, *(key.address for key in self.senders), rng.randbytes(20)]
        return [(first_index + i, i, rng.choice(to), rng.choice([0, 1, 10**9])) for i in range(rng.randrange(5))]

    def transaction(self, moment: "Moment"):
        """The next transaction for a state, as a body holds it. A few are spoiled."""
        rng = self.rng
        key = self.beneficiary if rng.random() < 0.06 else rng.choice(self.senders)
        transaction = self._good(key, moment)
        if rng.random() < 0.05:
            self._spoil(transaction, moment)
        return transaction.signed(key)

    def _good(self, key: Key, moment: "Moment") -> Transaction:
        rng, fork = self.rng, self.fork
        kinds = [0, 0] + [1] * fork.since("Berlin") + [2, 2] * fork.since("London")
        kinds += [3] * (fork.since("Cancun") and moment.blobs_left > 0) + [4, 4] * fork.since("Prague")
        kind = rng.choice(kinds)
        base_fee = moment.base_fee
        transaction = Transaction(
            kind=kind,
            nonce=moment.nonce(key.address),
            gas=rng.choice([100_000, 200_000, 400_000]),
            to=rng.choice(self.contracts),
            value=rng.choice([0, 0, 1, 10**14]),
            data=rng.randbytes(rng.choice([0, 0, 4, 36, 100])),
            max_fee=base_fee + rng.choice([0, 1, 10**9]),
            protected=fork.since("EIP158") and rng.random() < 0.5,
        )
        transaction.priority_fee = rng.randrange(transaction.max_fee - base_fee + 1)
        self._aim(transaction, moment)
        if kind > 0:
            slots = [[slot.to_bytes(32) for slot in range(rng.randrange(4))] for _ in range(rng.randrange(3))]
            transaction.access_list = [[rng.choice(self._setting.addresses), listed] for listed in slots]
        if kind == 3:
            transaction.max_blob_fee = rng.choice([10**9, ETHER // 10**6])
            transaction.blobs = [b"\1" + rng.randbytes(31) for _ in range(min(rng.randrange(1, 3), moment.blobs_left))]
            moment.blobs_left -= len(transaction.blobs)
        if kind == 4:
            transaction.authorizations = [self._authorization(key, moment) for _ in range(rng.randrange(1, 4))]
        return transaction

    def _aim(self, transaction: Transaction, moment: "Moment") -> None:
        """Chooses whom the transaction is for; it calls one of the contracts unless it is changed here."""
        rng, fork = self.rng, self.fork
        choice = rng.random()
        if choice < 0.12 and transaction.kind < 3:
            transaction.to, transaction.data = b"", init_code(self._setting, 4)
        elif choice < 0.22:
            others = [*self.senders, *self.authorities, self.beneficiary]
            transaction.to = rng.choice([rng.choice(others).address, rng.randbytes(20)])
        elif choice < 0.27:
            transaction.to = rng.choice(self._precompiles())
            # Hardly ever points on a curve, whose pairing takes the oracle seconds.
            transaction.data = rng.randbytes(rng.choice([0, 32, 64, 96, 128, 192, 213]))
        elif choice < 0.37:
            # Whatever there is, what was created on the way too.
            transaction.to = rng.choice(moment.addresses())
        elif choice < 0.45 and fork.since("Prague"):
            self._request(transaction)

    def _request(self, transaction: Transaction) -> None:
        """Makes a transaction ask the beacon chain for something."""
        rng = self.rng
        transaction.gas = 400_000
        match rng.randrange(3):
            case 0:
                transaction.to, length = system.WITHDRAWAL_CONTRACT, 56
            case 1:
                transaction.to, length = system.CONSOLIDATION_CONTRACT, 96
            case _:
                parts = [rng.randbytes(size) for size in (48, 32, 8, 96, 8)]
                transaction.to, transaction.data = system.DEPOSIT_CONTRACT, system.deposit_event(parts)
                return
        # The fee rises with what was asked for before.
        transaction.value = rng.choice([1, 2, 1000])
        transaction.data = rng.randbytes(length)

    def _authorization(self, sender: Key, moment: "Moment") -> list:
        rng = self.rng
        authority = rng.choice([*self.authorities * 3, sender, rng.choice(self.senders)])
        # The sender's nonce has been raised by then.
        nonce = moment.nonce(authority.address) + (authority is sender) + (rng.random() < 0.1)
        targets = [*self.contracts, bytes(20), (2).to_bytes(20), rng.choice(self.authorities).address]
        return authorization(authority, rng.choice([0, CHAIN_ID, CHAIN_ID, 5]), rng.choice(targets), nonce)

    def _spoil(self, transaction: Transaction, moment: "Moment") -> None:
        fork = self.fork
        ways = ["nonce", "nonce", "funds", "intrinsic", "allowance"]
        ways += ["fee"] * fork.since("London") + ["initcode"] * (fork.since("Shanghai") and transaction.kind < 3)
        ways += ["tip"] * (transaction.kind > 1) + ["blob"] * (transaction.kind == 3)
        ways += ["cap"] * fork.since("Osaka")
        match self.rng.choice(ways):
            case "nonce":
                transaction.nonce += self.rng.choice([1, -1]) if transaction.nonce else 1
            case "funds":
                transaction.value = 10**6 * ETHER
            case "intrinsic":
                transaction.gas = 20_999
            case "allowance":
                transaction.gas = GAS_LIMIT + 1
            case "fee":
                transaction.max_fee, transaction.priority_fee = moment.base_fee - 1, 0
            case "initcode":
                transaction.to, transaction.data = b"", bytes(_INITCODE_LIMIT + 1)
                transaction.gas = 2_000_000
            case "tip":
                transaction.priority_fee = transaction.max_fee + 1
            case "blob":
                transaction.blobs[0] = b"\2" + transaction.blobs[0][1:]
            case "cap":
                transaction.gas = _GAS_CAP + 1


class Moment:
    """What a transaction is chosen by: the state before it, and what the block has left."""

    def __init__(self, oracle: Oracle, state, base_fee: int, blobs_left: int):
        self._oracle, self._state = oracle, state
        self.base_fee, self.blobs_left = base_fee, blobs_left

    def nonce(self, address: bytes) -> int:
        """The nonce of an account, which need not exist."""
        return self._oracle.nonce(self._state, address)

    def addresses(self) -> list[bytes]:
        """All accounts that exist, in the order in which they came."""
        return self._oracle.addresses(self._state)
