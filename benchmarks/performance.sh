#!/usr/bin/env bash
# Runs the commands of docs/PERFORMANCE.md and writes what they print back into the document.
#
#   benchmarks/performance.sh            all of them; on an otherwise idle machine, some minutes
#   benchmarks/performance.sh HEADING    those below headings that match, as a regular expression
#   benchmarks/performance.sh --bars     prints what the tables in the document say of what is asked for
#
# A command is the first line of a block between ```console and ```; what follows it there is replaced.
set -euo pipefail
cd "$(dirname "$0")/.."
document=docs/PERFORMANCE.md

# section HEADING: what is in the document below a heading.
section() { awk -v heading="## $1" '$0 == heading { on = 1; next } /^## / { on = 0 } on' "$document"; }

# cell HEADING CASE THREADS MODE COLUMN: a number of a table of `tandem bench`, whose last columns are speed-up, ideal and efficiency.
cell() {
    section "$1" | awk -v name="$2" -v threads="$3" -v mode="$4" -v column="$5" '
        BEGIN { back["efficiency"] = 0; back["ideal"] = 1; back["speed-up"] = 2 }
        $1 == name && $2 == threads && $3 == mode && $(NF - 4) == "-" {
            number = $(NF - back[column]); sub("x$", "", number); print number; exit
        }'
}

# least HEADING LIST WORD: in the first line of a list of worst blocks, the number after a word.
least() {
    section "$1" | awk -v list="$2" -v word="$3" \
        'index($0, list) == 1 { getline; for (i = 1; i < NF; i++) if ($i == word) { sub("x$", "", $(i + 1)); print $(i + 1) } exit }'
}

# bar WHAT RELATION WANTED MEASURED: a row of the table.
bar() {
    awk -v what="$1" -v relation="$2" -v wanted="$3" -v measured="$4" 'BEGIN {
        holds = relation == "<=" ? measured + 0 <= wanted : measured + 0 >= wanted
        printf "%-66s %s %-5s %7s  %s\n", what, relation, wanted, measured, measured == "" ? "?" : holds ? "yes" : "no"
    }'
}

# synthetic WHAT CASE WANTED: the speed-up of a workload as a stream on two threads.
synthetic() { bar "$1" '>=' "$3" "$(cell 'Synthetic workloads' "$2" 2 stream speed-up)"; }

bars() {
    local real='Recorded blocks' speed
    speed=$(cell "$real" total 1 serial speed-up)
    bar 'one worker: time by that of the plain loop' '<=' 1.03 "$(awk -v s="$speed" 'BEGIN { printf "%.3f", 1 / s }')"
    bar 'one worker: the same of the worst block' '<=' 1.10 "$(least "$real" '1 thread, serial: least speed-up' ms | tr -d x)"
    bar 'two threads, stream: speed-up' '>=' 1.75 "$(cell "$real" total 2 stream speed-up)"
    bar 'two threads, block by block: speed-up' '>=' 1.50 "$(cell "$real" total 2 block speed-up)"
    bar 'two threads, block by block: worst speed-up of a block' '>=' 0.97 \
        "$(least "$real" '2 threads, block: least speed-up' speed-up)"
    bar 'two threads, block by block: worst efficiency of a block over 2 ms' '>=' 0.88 \
        "$(least "$real" '2 threads, block: least efficiency' efficiency)"
    bar 'two threads, stream: blocks that conflict with the one before' '>=' 1.65 \
        "$(cell 'A chain of blocks like those on mainnet' mainnet 2 stream speed-up)"
    synthetic 'two threads, stream: independent transfers' transfers 1.5
    synthetic 'two threads, stream: independent token transfers' token 1.7
    synthetic 'two threads, stream: independent swaps' independent-swaps 1.85
    synthetic 'two threads, stream: transfers to one recipient' one-hot 1.5
    synthetic 'two threads, stream: transfers by one sender' payroll 1.4
    synthetic 'two threads, stream: one hot slot' nft 0.97
    bar 'two threads, stream: a half-hot mix, efficiency' '>=' 0.90 "$(cell 'Synthetic workloads' mixed=0.5 2 stream efficiency)"
    bar 'two threads, stream, slow reads: speed-up' '>=' 1.9 "$(cell 'Slow reads' mainnet 2 stream speed-up)"
    bar '10 million transfers: last rate by first rate' '>=' 0.95 \
        "$(section 'Ten million transfers' | sed -nE 's/^the last part at ([0-9.]+) .*/\1/p')"
}

if [ "${1:-}" = --bars ]; then
    bars
    exit
fi

cargo build --release --quiet
PATH=$PWD/target/release:$PATH
export PATH
wanted=${1:-.}
# What is written goes to a copy, so that a command that fails leaves the document alone.
copy=$(mktemp)
trap 'rm -f "$copy" "$copy.out"' EXIT
heading='' inside=no
while IFS= read -r line; do
    case $line in
    '## '*) heading=${line#\#\# } ;;
    '```console') inside=first ;;
    '```') inside=no ;;
    '$ '*)
        # The table of what is asked for is made of the others, at last.
        if [ "$inside" = first ] && [[ $heading =~ $wanted ]] && [[ $line != *performance.sh* ]]; then
            echo "${line#\$ }" >&2
            bash -o pipefail -c "${line#\$ }" </dev/null >"$copy.out"
            printf '%s\n' "$line" >>"$copy"
            sed 's/ *$//' "$copy.out" >>"$copy"
            inside=replaced
            continue
        fi
        ;;
    esac
    [ "$inside" = replaced ] || printf '%s\n' "$line" >>"$copy"
done <"$document"
cat "$copy" >"$document"

bars >"$copy.out"
awk -v table="$copy.out" '
    $0 == "$ benchmarks/performance.sh --bars" { print; while ((getline row < table) > 0) print row; skip = 1; next }
    $0 == "```" { skip = 0 }
    !skip' "$document" >"$copy"
cat "$copy" >"$document"
