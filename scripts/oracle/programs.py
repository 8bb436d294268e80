"""Random programs for the EVM.

Most of a program makes sense, so that it gets far enough to read and write what others read and write: every expression
leaves one word on the stack, every statement none. A little of it is noise.
"""

from dataclasses import dataclass, field
from random import Random

from forks import Fork

# Opcodes without operands that give one word, with the fork that brought them.
_SOURCES = {
    "Frontier": {
        "ADDRESS": 0x30, "ORIGIN": 0x32, "CALLER": 0x33, "CALLVALUE": 0x34, "CALLDATASIZE": 0x36, "CODESIZE": 0x38,
        "GASPRICE": 0x3A, "COINBASE": 0x41, "TIMESTAMP": 0x42, "NUMBER": 0x43, "DIFFICULTY": 0x44, "GASLIMIT": 0x45,
        "PC": 0x58, "MSIZE": 0x59, "GAS": 0x5A,
    },
    "Byzantium": {"RETURNDATASIZE": 0x3D},
    "Istanbul": {"CHAINID": 0x46, "SELFBALANCE": 0x47},
    "London": {"BASEFEE": 0x48},
    "Cancun": {"BLOBBASEFEE": 0x4A},
}  # fmt: skip
_UNARY = {"Frontier": [0x15, 0x19], "Osaka": [0x1E]}
_BINARY = {
    "Frontier": [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x0B, 0x10, 0x11, 0x12, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1A],
    "ConstantinopleFix": [0x1B, 0x1C, 0x1D],
}
_TERNARY = [0x08, 0x09]

# Slots, of persistent and of transient storage, are few, so that programs meet there.
_SLOTS = 5


def _available(table: dict, fork: Fork) -> list:
    values = [list(part.values()) if isinstance(part, dict) else part for name, part in table.items() if fork.since(name)]
    return [code for part in values for code in part]


@dataclass
class Setting:
    """What programs may be about."""

    rng: Random
    fork: Fork
    # Accounts to look at, to call, to pay.
    addresses: list[bytes]


def deploying(runtime: bytes) -> bytes:
    """Code that deploys `runtime`."""
    size = len(runtime).to_bytes(2)
    return bytes.fromhex("61") + size + bytes.fromhex("80 61 000d 6000 39 6000 f3") + runtime


def init_code(setting: Setting, budget: int) -> bytes:
    """Code for a creation: most deploys something, some of it fails."""
    rng = setting.rng
    fixed = [
        "33ff",  # destroys itself in favour of its caller,
        "32ff",  # of the transaction's sender,
        "30ff",  # of itself
        "6000546001016000556000543460015500",  # counts its calls
        "ef00",  # cannot be deployed since London
    ]
    choice = rng.random()
    if choice < 0.45:
        return deploying(bytes.fromhex(rng.choice(fixed)))
    if choice < 0.75:
        return deploying(program(setting, budget))
    if choice < 0.9:
        return program(setting, budget)
    return bytes.fromhex(rng.choice(["60016000556000fd", "fe", "6001600055", "5b600056", "32ff"]))


def program(setting: Setting, budget: int) -> bytes:
    """A program of about `budget` statements."""
    writer = _Writer(setting, budget)
    while writer.budget > 0:
        writer.statement()
    if setting.rng.random() < 0.5:
        writer.push(setting.rng.choice([0, 1, 32, 70]))
        writer.push(0)
        writer.code.append(0xF3)
    return bytes(writer.code)


@dataclass
class _Writer:
    setting: Setting
    budget: int
    code: bytearray = field(default_factory=bytearray)

    def statement(self) -> None:
        rng, fork = self.setting.rng, self.setting.fork
        self.budget -= 1
        statements = [
            (24, self.store),
            (14, self.count),
            (14, self.call),
            (6, self.log),
            (6, self.memory),
            (5, self.create),
            (8, self.branch),
            (3, self.loop),
            (1, self.noise),
            (4, self.call_stored),
        ]
        if fork.since("Cancun"):
            statements.append((5, self.store_transient))
        weights, choices = zip(*statements, strict=True)
        rng.choices(choices, weights)[0]()

    def push(self, value: int) -> None:
        rng = self.setting.rng
        if value == 0 and self.setting.fork.since("Shanghai") and rng.random() < 0.5:
            self.code.append(0x5F)
            return
        data = value.to_bytes(max(1, (value.bit_length() + 7) // 8))
        self.code.append(0x5F + len(data))
        self.code += data

    def slot(self) -> None:
        self.push(self.setting.rng.randrange(_SLOTS))

    def address(self) -> None:
        rng = self.setting.rng
        choice = rng.random()
        if choice < 0.08:
            self.code.append(rng.choice([0x30, 0x32, 0x33, 0x41]))
        elif choice < 0.14:
            self.push(rng.randrange(4) * 32)
            self.code.append(0x35)
        else:
            self.push(int.from_bytes(rng.choice(self.setting.addresses)))

    def expression(self, depth: int = 0) -> None:
        """Leaves one word."""
        rng, fork, code = self.setting.rng, self.setting.fork, self.code
        if depth > 2 or rng.random() < 0.2:
            self.push(rng.choice([0, 1, 2, 3, 255, rng.getrandbits(16), rng.getrandbits(256)]))
            return
        choice = rng.random()
        if choice < 0.25:
            self.slot()
            code.append(0x54)
        elif choice < 0.45:
            code.append(rng.choice(_available(_SOURCES, fork)))
        elif choice < 0.6:
            # The balance, the size or the hash of the code.
            self.address()
            code.append(rng.choice([0x31, 0x31, 0x3B] + [0x3F] * fork.since("ConstantinopleFix")))
        elif choice < 0.65:
            self.push(rng.choice([1, 2, 3, 300]))
            code += bytes([0x43, 0x03, 0x40])
        elif choice < 0.7:
            self.push(rng.randrange(0x80))
            code.append(rng.choice([0x35, 0x51]))
        elif choice < 0.73:
            self.push(rng.randrange(0x60))
            self.push(rng.randrange(0x60))
            code.append(0x20)
        elif choice < 0.77 and fork.since("Cancun"):
            self.slot()
            code.append(rng.choice([0x5C, 0x49]))
        elif choice < 0.82:
            self.expression(depth + 1)
            code.append(rng.choice(_available(_UNARY, fork)))
        elif choice < 0.84:
            self.push(rng.choice([0, 1, 2, 31]))
            self.expression(depth + 1)
            code.append(0x0A)
        elif choice < 0.87:
            for _ in range(3):
                self.expression(depth + 1)
            code.append(rng.choice(_TERNARY))
        else:
            self.expression(depth + 1)
            self.expression(depth + 1)
            code.append(rng.choice(_available(_BINARY, fork)))

    def store(self) -> None:
        self.expression()
        self.slot()
        self.code.append(0x55)

    def store_transient(self) -> None:
        self.expression()
        self.slot()
        self.code.append(0x5D)

    def count(self) -> None:
        slot = self.setting.rng.randrange(_SLOTS)
        self.push(self.setting.rng.choice([1, 1, 2, 2**256 - 1]))
        self.push(slot)
        self.code += bytes([0x54, 0x01])
        self.push(slot)
        self.code.append(0x55)

    def log(self) -> None:
        rng = self.setting.rng
        topics = rng.randrange(5)
        for _ in range(topics):
            self.expression(2)
        self.push(rng.randrange(0x50))
        self.push(rng.randrange(0x50))
        self.code.append(0xA0 + topics)

    def memory(self) -> None:
        rng, fork = self.setting.rng, self.setting.fork
        choice = rng.random()
        if choice < 0.5:
            self.expression()
            self.push(rng.randrange(0x60))
            self.code.append(rng.choice([0x52, 0x53]))
            return
        copies = [0x37, 0x39, 0x3C] + [0x3E] * fork.since("Byzantium") + [0x5E] * fork.since("Cancun")
        copy = rng.choice(copies)
        # What lies beyond the data that a call returned may not be copied.
        self.push(rng.randrange(0x40) if copy != 0x3E else rng.choice([0, 0, 0, 1]))
        self.push(rng.randrange(0x40) if copy != 0x3E else 0)
        self.push(rng.randrange(0x40))
        if copy == 0x3C:
            self.address()
        self.code.append(copy)

    def call(self) -> None:
        self._call(self.address)

    def call_stored(self) -> None:
        """Calls what a slot names: often an account that another program created."""

        def address() -> None:
            self.slot()
            self.code.append(0x54)

        self._call(address)

    def _call(self, address) -> None:
        rng, fork = self.setting.rng, self.setting.fork
        calls = [0xF1] * 5 + [0xF2] + [0xF4] * 2 * fork.since("Homestead") + [0xFA] * fork.since("Byzantium")
        call = rng.choice(calls)
        for size in (0x40, 0x40, 0x60, 0x40):
            self.push(rng.randrange(size))
        if call in (0xF1, 0xF2):
            if rng.random() < 0.15:
                self.expression(1)
            else:
                self.push(rng.choice([0, 0, 0, 1, 7, 10**15]))
        address()
        if fork.since("EIP150") and rng.random() < 0.3:
            self.code.append(0x5A)
        else:
            self.push(rng.choice([0, 2_300, 9_000, 30_000, 30_000, 60_000]))
        self.code.append(call)
        self._keep_or_drop()

    def create(self) -> None:
        rng = self.setting.rng
        code = init_code(self.setting, min(2, self.budget))
        self.budget -= 1
        for start in range(0, len(code), 32):
            self.push(int.from_bytes(code[start : start + 32].ljust(32, b"\0")))
            self.push(start)
            self.code.append(0x52)
        second = self.setting.fork.since("ConstantinopleFix") and rng.random() < 0.7
        if second:
            self.push(rng.randrange(2))
        self.push(len(code))
        self.push(0)
        self.push(rng.choice([0, 0, 1, 10**12]))
        self.code.append(0xF5 if second else 0xF0)
        self._keep_or_drop()

    def _keep_or_drop(self) -> None:
        if self.setting.rng.random() < 0.6:
            self.slot()
            self.code.append(0x55)
        else:
            self.code.append(0x50)

    def branch(self) -> None:
        """Goes on behind, or does something more, which may be the end."""
        rng, fork = self.setting.rng, self.setting.fork
        self.expression()
        self.push(rng.choice([1, 3, 6]))
        # PUSH2 with the place to go on at, which is known later.
        self.code += bytes([0x16, 0x61, 0, 0])
        place = len(self.code)
        self.code.append(0x57)
        if rng.random() < 0.4:
            self.statement()
        else:
            ends = ["stop", "invalid", "destroy", "destroy"] + ["revert"] * 2 * fork.since("Byzantium")
            match rng.choice(ends):
                case "stop":
                    self.code.append(0x00)
                case "invalid":
                    self.code.append(0xFE)
                case "destroy":
                    self.address()
                    self.code.append(0xFF)
                case "revert":
                    self.push(rng.randrange(0x20))
                    self.push(0)
                    self.code.append(0xFD)
        self.code[place - 2 : place] = len(self.code).to_bytes(2)
        self.code.append(0x5B)

    def loop(self) -> None:
        """A statement several times."""
        self.push(self.setting.rng.choice([2, 3, 5]))
        start = len(self.code)
        self.code.append(0x5B)
        self.statement()
        # Counts down to zero.
        self.code += bytes([0x60, 0x01, 0x90, 0x03, 0x80, 0x61]) + start.to_bytes(2) + bytes([0x57, 0x50])

    def noise(self) -> None:
        rng = self.setting.rng
        self.code += rng.randbytes(rng.randrange(1, 6))
