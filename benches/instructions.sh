#!/usr/bin/env bash
# User instructions that the gateway adds to a request, over a bare hyper proxy with the same pool.
#
# Callgrind counts each proxy twice, over a small and a large number of requests; what differs is the
# requests, and that divided by their number is the same on every machine.
set -euo pipefail
cd "$(dirname "$0")/.."
source benches/support/figure.sh

FEW=1000
MANY=6000
CLIENTS=16

for tool in valgrind h2load; do
  command -v "$tool" >/dev/null || {
    echo "$tool is missing: apt-get install valgrind nghttp2-client" >&2
    exit 1
  }
done

work=$(mktemp -d)
running=()
finish() {
  for process in "${running[@]}"; do
    kill "$process" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap finish EXIT

# build NAME: the path of a benchmark's program.
build() {
  cargo bench --no-run --features full,testing --bench "$1" --message-format=json-render-diagnostics |
    sed -n "s/.*\"name\":\"$1\".*\"executable\":\"\([^\"]*\)\".*/\1/p"
}

# start OUTPUT COMMAND…: runs a server, and sets `process` and `address` once it says where it listens.
start() {
  local output=$1
  shift
  "$@" >"$output" 2>"$output.err" &
  process=$!
  running+=("$process")
  address=
  for _ in {1..600}; do
    address=$(head -n 1 "$output")
    [[ -z $address ]] || return 0
    kill -0 "$process" 2>/dev/null || break
    sleep 0.1
  done
  echo "$1 did not start" >&2
  cat "$output.err" >&2
  return 1
}

# count PROGRAM REQUESTS: sets `instructions` for one run.
count() {
  start "$work/proxy" valgrind --tool=callgrind --callgrind-out-file="$work/callgrind" \
    "$1" "$origin"
  h2load --h1 -t1 -c"$CLIENTS" -n"$2" "http://$address/orders/42" >"$work/load"
  kill -TERM "$process"
  wait "$process"
  grep -q "$2 succeeded, 0 failed, 0 errored" "$work/load" && grep -q "2xx: \?$2\|$2 2xx" "$work/load" || {
    echo "not every request was answered well" >&2
    cat "$work/load" "$work/proxy.err" >&2
    return 1
  }
  instructions=$(sed -n 's/^\(summary\|totals\): *\([0-9]*\).*/\2/p' "$work/callgrind" | head -n 1)
  rm -f "$work/callgrind" "$work/proxy"
}

# slope PROGRAM: sets `slope`, the instructions of one request.
slope() {
  count "$1" "$FEW"
  local few=$instructions
  count "$1" "$MANY"
  slope=$(((instructions - few) / (MANY - FEW)))
}

origin_program=$(build origin)
bare_program=$(build bare_proxy)
gateway_program=$(build gateway_proxy)

start "$work/origin" "$origin_program"
origin=$address

slope "$bare_program"
bare=$slope
slope "$gateway_program"
gateway=$slope

echo "bare proxy: $bare instructions a request; with the gateway: $gateway"
figure instructions.added $((gateway - bare)) instr at_most 2500 \
  "callgrind slope over $FEW and $MANY requests of 1 KiB, h2load -c$CLIENTS --h1, $gateway with and $bare without the gateway"
