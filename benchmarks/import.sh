#!/usr/bin/env bash
# Times imports of a generated chain: 500 blocks over a million accounts and two million slots.
#
#   benchmarks/import.sh [FOLDER] [ROUNDS]
#
# Each round imports once in every way, from the same freshly loaded genesis; the last lines give the medians of all
# rounds so far. "cold" ways start with the operating system's cache of files dropped, which takes root, and with a
# small page cache. FOLDER keeps the chain, the genesis and the results for the next call; about 4 GB.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:-target/import-benchmark} rounds=${2:-3}
cargo build --release --quiet
tandem=target/release/tandem
mkdir -p "$folder"

if [ ! -e "$folder/chain/chain.rlp" ]; then
    "$tandem" generate --workload mixed --blocks 500 --txs 200 --accounts 20000 --population 980000 \
        --slots 2000000 --out "$folder/chain"
fi
if [ ! -e "$folder/genesis/loaded" ]; then
    rm -rf "$folder/genesis"
    "$tandem" import --datadir "$folder/genesis" --genesis "$folder/chain/genesis.json"
    touch "$folder/genesis/loaded"
fi

# run NAME COLD OPTIONS...: imports, and notes the time in milliseconds, the peak memory and the head.
run() {
    local name=$1 cold=$2
    shift 2
    rm -rf "$folder/data"
    cp -r "$folder/genesis" "$folder/data"
    sync
    if [ "$cold" = cold ]; then echo 3 >/proc/sys/vm/drop_caches; fi
    "$tandem" import --datadir "$folder/data" "$folder/chain/chain.rlp" --json "$@" | tail -n 1 |
        sed -E "s/^/$name /" | tee -a "$folder/results"
}

for _ in $(seq "$rounds"); do
    run one-by-one warm --one-by-one
    run overlapped-1 warm --threads 1
    run overlapped-2 warm --threads 2
    if [ -w /proc/sys/vm/drop_caches ]; then
        for prefetch in 0 2 8; do
            run "cold-prefetch-$prefetch" cold --threads 2 --prefetch "$prefetch" --page-cache 16 --trie-nodes 100000
        done
    fi
done

[ "$(grep -oE '"hash":"0x[0-9a-f]+"' "$folder/results" | sort -u | wc -l)" = 1 ]
echo
printf '%-18s %10s %12s\n' way 'median ms' 'memory MiB'
for name in $(cut -d' ' -f1 "$folder/results" | sort -u); do
    median=$(grep "^$name " "$folder/results" | grep -oE '"ms":[0-9.]+' | cut -d: -f2 | sort -n |
        awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }')
    memory=$(grep "^$name " "$folder/results" | grep -oE '"peakMemory":[0-9]+' | cut -d: -f2 | sort -n | tail -1)
    printf '%-18s %10.0f %12d\n' "$name" "$median" "$((memory / 1048576))"
done
