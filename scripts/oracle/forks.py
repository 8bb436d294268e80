"""The forks to test, in their order."""

import re
from dataclasses import dataclass

_ORDER = [
    "Frontier",
    "Homestead",
    "EIP150",
    "EIP158",
    "Byzantium",
    "ConstantinopleFix",
    "Istanbul",
    "MuirGlacier",
    "Berlin",
    "London",
    "ArrowGlacier",
    "GrayGlacier",
    "Paris",
    "Shanghai",
    "Cancun",
    "Prague",
    "Osaka",
]


@dataclass(frozen=True)
class Fork:
    """A fork by the name that official tests give it, which the oracle takes as well."""

    name: str

    def since(self, name: str) -> bool:
        """Whether the rules of the named fork hold in this one."""
        return _ORDER.index(self.name) >= _ORDER.index(name)

    @property
    def file_name(self) -> str:
        """A name that sorts in the order of forks."""
        return f"{_ORDER.index(self.name):02}-{re.sub('[^a-z0-9]', '', self.name.lower())}"


FORKS = [Fork(name) for name in _ORDER]
