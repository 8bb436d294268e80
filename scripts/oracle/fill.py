"""Writes chains that the oracle executed, as blockchain tests: `tests/` holds what must pass, `false/` what must fail."""

import json
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from chain import Builder
from forks import FORKS, Fork
from oracle import Oracle


@dataclass(frozen=True)
class Plan:
    """What to write."""

    folder: Path
    # The same seed gives the same bytes.
    seed: str
    # For each fork.
    chains: int
    # Of each chain.
    blocks: int
    # Proposed for each block.
    transactions: int


def fill(plan: Plan) -> Counter:
    """Writes the tests of all forks. Gives the number of blocks, transactions and blocks to refuse."""
    for name in ("tests", "false"):
        (plan.folder / name).mkdir(parents=True)
    totals = Counter()
    with ProcessPoolExecutor() as pool:
        for fork, counts in zip(FORKS, pool.map(partial(_fill, plan), FORKS), strict=True):
            print(f"{fork.name:18} {describe(counts)}", flush=True)
            totals += counts
    return totals


def _fill(plan: Plan, fork: Fork) -> Counter:
    oracle, counts = Oracle(fork), Counter()
    for number in range(plan.chains):
        builder = Builder(fork, oracle, Random(f"{plan.seed} {fork.name} {number}"), plan.transactions)
        for _ in range(plan.blocks):
            builder.build()
        name = f"{fork.file_name}-{number}"
        _write(plan.folder / "tests" / f"{name}.json", name, builder.test())
        if number == 0:
            for field, test in builder.falsified().items():
                _write(plan.folder / "false" / f"{name}-{field}.json", field, test)
        counts += Counter(blocks=plan.blocks, transactions=builder.transactions, refused=builder.refused)
    return counts


def describe(counts: Counter) -> str:
    """The counts in words."""
    return f"{counts['blocks']:4} blocks, {counts['transactions']:6} transactions; {counts['refused']:4} blocks to refuse"


def _write(path: Path, name: str, test: dict) -> None:
    path.write_text(json.dumps({name: test}))
