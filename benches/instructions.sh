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

# What a proxy is started with, beside the origin.
options=()

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

# count TOOL PROGRAM REQUESTS PATH [H2LOAD ARGUMENT…]: sets `counted` for one run, to the user
# instructions (callgrind) or to the blocks of memory that were asked for (dhat).
count() {
  local tool=$1 program=$2 requests=$3 path=$4
  shift 4
  start "$work/proxy" valgrind --tool="$tool" "--$tool-out-file=$work/counts" "$program" "$origin" \
    "${options[@]}"
  h2load --h1 -t1 -c"$CLIENTS" -n"$requests" "$@" "http://$address$path" >"$work/load"
  kill -TERM "$process"
  wait "$process"
  grep -q "$requests succeeded, 0 failed, 0 errored" "$work/load" &&
    grep -q "2xx: \?$requests\|$requests 2xx" "$work/load" || {
    echo "not every request to $path was answered well" >&2
    cat "$work/load" "$work/proxy.err" >&2
    return 1
  }
  case $tool in
    callgrind)
      counted=$(sed -n 's/^\(summary\|totals\): *\([0-9]*\).*/\2/p' "$work/counts" | head -n 1)
      ;;
    dhat)
      counted=$(sed -n 's/.*Total: .* in \([0-9,]*\) blocks.*/\1/p' "$work/proxy.err" | tr -d ,)
      ;;
  esac
  rm -f "$work/counts" "$work/proxy" "$work/proxy.err"
}

# slope TOOL PROGRAM PATH [H2LOAD ARGUMENT…]: sets `slope`, what one request costs; to two decimals in
# `slope_exact`.
slope() {
  local tool=$1 program=$2
  shift 2
  count "$tool" "$program" "$FEW" "$@"
  local few=$counted
  count "$tool" "$program" "$MANY" "$@"
  slope=$(((counted - few) / (MANY - FEW)))
  slope_exact=$(awk -v more="$((counted - few))" -v by="$((MANY - FEW))" 'BEGIN { printf "%.2f", more / by }')
}

# hmac KEY TEXT: HmacSHA256 in base64.
hmac() {
  printf '%b' "$2" | openssl dgst -sha256 -hmac "$1" -binary | base64
}

origin_program=$(build origin)
bare_program=$(build bare_proxy)
gateway_program=$(build gateway_proxy)

start "$work/origin" "$origin_program"
origin=$address

slope callgrind "$bare_program" /orders/42
bare=$slope
slope callgrind "$gateway_program" /orders/42
gateway=$slope
echo "bare proxy: $bare instructions a request; with the gateway: $gateway"
method="callgrind slope over $FEW and $MANY requests of 1 KiB, h2load -c$CLIENTS --h1"
figure instructions.added $((gateway - bare)) instr at_most 2500 \
  "$method, $gateway with and $bare without the gateway"

# The same gateway, whose requests are counted.
options=(metrics)
slope callgrind "$gateway_program" /orders/42
options=()
figure instructions.metrics $((slope - gateway)) instr at_most 600 \
  "$method, $slope with metrics and $gateway without"

slope dhat "$bare_program" /orders/42
bare=$slope_exact
slope dhat "$gateway_program" /orders/42
added=$(awk -v with="$slope_exact" -v without="$bare" 'BEGIN { printf "%.2f", with - without }')
figure allocations.passthrough "$added" blocks at_most 6 \
  "dhat slope over $FEW and $MANY requests, $slope_exact with and $bare without the gateway"

# A request as the official client signs it, but for the nonce, which can be used only once. Both APIs are
# sent the same bytes; one of them is for everybody.
now=$(date +%s)000
text="GET\\n\\n\\n\\n\\nx-ca-key:203753385\\nx-ca-stage:RELEASE\\nx-ca-timestamp:$now\\n"
signed=(-H "x-ca-key: 203753385" -H "x-ca-stage: RELEASE" -H "x-ca-timestamp: $now"
  -H "x-ca-signature-headers: x-ca-key,x-ca-stage,x-ca-timestamp")
signature=$(hmac sampleSecret1 "$text/signed/42")
slope callgrind "$gateway_program" /orders/42 "${signed[@]}" -H "x-ca-signature: $signature"
without=$slope
slope callgrind "$gateway_program" /signed/42 "${signed[@]}" -H "x-ca-signature: $signature"
figure instructions.signature $((slope - without)) instr at_most 22000 \
  "$method, $slope for an API that needs a signature and $without for one that does not"

# The same request to an API that takes it as it is, and to one with five parameters, two constants and two
# system parameters.
query='name=rex&size=20&color=red&page=3'
slope callgrind "$gateway_program" "/orders/42?$query"
without=$slope
slope callgrind "$gateway_program" "/mapped/42?$query"
figure instructions.mapping $((slope - without)) instr at_most 5000 \
  "$method, $slope for an API in mode mapping and $without for one that passes the same request through"
