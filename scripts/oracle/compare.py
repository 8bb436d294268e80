"""Generates blocks, has the oracle execute them, and compares Tandem's results with the oracle's."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from fill import Plan, describe, fill

# How to execute: with slow reads, the engine gets further ahead, and there are more conflicts.
_WAYS = [["--threads", "2"], ["--threads", "4", "--slow-reads"], ["--threads", "8", "--slow-reads"]]


def main() -> None:
    """Exits with 1 if there is a difference, or if one that was made on purpose is not found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tandem", required=True, help="the command to test")
    parser.add_argument("--out", type=Path, required=True, help="a folder for the blocks, with all that is in it replaced")
    parser.add_argument("--seed", default="1", help="the same seed gives the same bytes [1]")
    parser.add_argument("--chains", type=int, default=6, help="chains for each of 17 forks [6]")
    parser.add_argument("--blocks", type=int, default=3, help="blocks of each chain [3]")
    parser.add_argument("--txs", type=int, default=60, help="transactions proposed for each block [60]")
    args = parser.parse_args()
    shutil.rmtree(args.out, ignore_errors=True)
    start = time.monotonic()
    counts = fill(Plan(args.out, args.seed, args.chains, args.blocks, args.txs))
    print(f"{'all':18} {describe(counts)}; by the oracle in {time.monotonic() - start:.0f} s on {os.cpu_count()} cores")
    differences = sum(compare(args.tandem, args.out / "tests", way, counts) for way in _WAYS)
    missed = check_falsified(args.tandem, args.out / "false")
    print(f"{counts['blocks']} generated blocks, {differences} differences")
    sys.exit(differences + missed > 0)


def run(tandem: str, folder: Path, way: list[str]) -> tuple[list[dict], dict]:
    """Runs the tests of a folder. Gives what came of each, and the summary."""
    command = [tandem, "blockchaintest", "--json", "--keep-going", *way, str(folder)]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout
    *outcomes, summary = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return outcomes, summary["summary"]


def compare(tandem: str, folder: Path, way: list[str], counts: dict) -> int:
    """Gives the number of differences; prints each with the file that has the block and the oracle's receipts."""
    outcomes, summary = run(tandem, folder, way)
    differences = summary["unreadable"]
    for outcome in outcomes:
        if not outcome["pass"]:
            differences += 1
            print(f"DIFFERENT {outcome['file']}: {outcome['error']}")
    done = summary["counters"]
    if differences == 0 and (done["blocks"], done["transactions"]) != (counts["blocks"], counts["transactions"]):
        print(f"{done['blocks']} blocks with {done['transactions']} transactions were executed, expected {counts}")
        differences += 1
    print(
        f"{' '.join(way)}: {done['blocks']} blocks, {done['transactions']} transactions, {done['conflicts']} conflicts, "
        f"{done['reexecutions']} re-executed, {done['repairs']} repaired; {differences} differences"
    )
    return differences


def check_falsified(tandem: str, folder: Path) -> int:
    """Gives how many of the falsified headers were not refused for the field that is wrong in them."""
    outcomes, _ = run(tandem, folder, _WAYS[-1])
    missed = [
        outcome["file"]
        for outcome in outcomes
        if outcome["pass"] or f"field {outcome['test']} is" not in outcome["error"]
    ]
    missed += ["nothing was falsified"] * (not outcomes)
    for name in missed:
        print(f"NOT FOUND {name}")
    print(f"{len(outcomes)} headers with one falsified field: {len(outcomes) - len(missed)} found")
    return len(missed)


if __name__ == "__main__":
    main()
