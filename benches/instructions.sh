#!/usr/bin/env bash
# User instructions of a request through the gateway, and what of them the gateway adds to a bare hyper
# proxy with the same pool.
#
# Callgrind counts each proxy twice, over a small and a large number of requests; what differs is the
# requests, and that divided by their number is the same on every machine.
set -euo pipefail
cd "$(dirname "$0")/.."
source benches/support/figure.sh
source benches/support/programs.sh
source benches/support/slope.sh

needed valgrind=valgrind h2load=nghttp2-client openssl=openssl

# hmac KEY TEXT: HmacSHA256 in base64.
hmac() {
  printf '%b' "$2" | openssl dgst -sha256 -hmac "$1" -binary | base64
}

origin_program=$(build origin)
bare_program=$(build bare_proxy)
gateway_program=$(build gateway_proxy)
served_program=$(build served_proxy)

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

# The same gateway, whose requests are counted: as users run it.
options=(0 metrics)
slope callgrind "$gateway_program" /orders/42
counting=$slope
figure instructions.metrics $((counting - gateway)) instr at_most 600 \
  "$method, $counting with metrics and $gateway without"
figure instructions.get1k "$counting" instr at_most 28000 \
  "$method, gateway with metrics and hyper's server in all"
slope callgrind "$gateway_program" /large/42
figure instructions.get64k "$slope" instr at_most 32000 \
  "callgrind slope over $FEW and $MANY requests of 64 KiB, h2load -c$CLIENTS --h1, gateway with metrics and hyper's server in all"
slope callgrind "$served_program" /orders/42
figure_open instructions.get1k.served "$slope" instr "$method, gateway with metrics and serve::Server in all"
options=()

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
