#!/usr/bin/env bash
# What requests cost besides instructions, what connections weigh, and what many routes add.
#
# The gateway is the one of proxy/gateway.rs, on hyper's own server; with `.served`, and where it says so,
# the one of proxy/served.rs, on `serve::Server`.
set -euo pipefail
cd "$(dirname "$0")/.."
source benches/support/figure.sh
source benches/support/programs.sh
source benches/support/slope.sh

DESCRIPTORS=16384
HELD=4000         # connections that are weighed
STREAMS=256       # connections that are streaming
STREAMED=25600    # answers they get
ROUTES=(10 100000)
PER_CLIENT=(100 600) # requests of each client where every one of them has routes of its own

needed valgrind=valgrind h2load=nghttp2-client strace=strace python3=python3
ulimit -n "$DESCRIPTORS"

# count_syscalls PROGRAM REQUESTS PATH: sets `counted`, after a warm-up, in one process.
count_syscalls() {
  start "$work/proxy" "$1" "$origin"
  h2load --h1 -t1 -c"$CLIENTS" -n"$FEW" "http://$address$3" >"$work/load"
  strace -c -f -p "$process" -o "$work/calls" 2>"$work/strace.err" &
  local tracer=$!
  running[$tracer]=1
  for _ in {1..100}; do
    ! grep -q "^TracerPid:[[:space:]]*0$" "/proc/$process/status" || { sleep 0.1 && continue; }
    break
  done
  h2load --h1 -t1 -c"$CLIENTS" -n"$2" "http://$address$3" >"$work/load"
  kill -INT "$tracer"
  wait "$tracer" || true
  unset "running[$tracer]"
  stop "$process"
  answered "$2" "$work/load"
  counted=$(awk '$NF == "total" { print $3 == "total" ? $2 : $4 }' "$work/calls")
  [[ $counted =~ ^[0-9]+$ ]] || {
    echo "strace did not tell: $(cat "$work/calls" "$work/strace.err")" >&2
    return 1
  }
}

# syscalls PROGRAM PATH: sets `slope_exact`.
syscalls() {
  count_syscalls "$1" "$FEW" "$2"
  local few=$counted
  count_syscalls "$1" "$MANY" "$2"
  slope_exact=$(per_request "$few" "$counted")
}

# weigh PROGRAM answered|half: sets `weight`, the bytes of one of many connections.
weigh() {
  start "$work/proxy" "$1" "$origin"
  weight=$(python3 benches/support/connections.py "$process" "$address" "$HELD" "$2")
  stop "$process"
}

# stream PROGRAM: sets `weight`, the most bytes that were resident.
stream() {
  start "$work/proxy" "$1" "$origin"
  h2load --h1 -t1 -c"$STREAMS" -n"$STREAMED" "http://$address/large/42" >"$work/load"
  weight=$(awk '$1 == "VmHWM:" { print 1024 * $2 }' "/proc/$process/status")
  stop "$process"
  answered "$STREAMED" "$work/load"
}

# paths ROUTES: a path for each request, in random order, all of them as often as any other.
paths() {
  seq -f '/r%05g/x' 0 $(($1 - 1)) | shuf --random-source=<(yes) >"$work/routes"
  local needed=$((CLIENTS * PER_CLIENT[1]))
  while ((needed > 0)); do
    head -n "$needed" "$work/routes"
    needed=$((needed - $1))
  done
}

# count_routed ROUTES REQUESTS: sets `counted`, the instructions of so many requests of each client.
count_routed() {
  start "$work/proxy" valgrind --tool=callgrind --instr-atstart=no \
    "--callgrind-out-file=$work/counts" "$gateway_program" "$origin" "$1"
  paths "$1" | sed "s|^|http://$address|" | split -n "r/$CLIENTS" - "$work/urls."
  callgrind_control --instr=on "$process" >/dev/null
  local urls clients=()
  for urls in "$work"/urls.*; do
    h2load --h1 -t1 -c1 -n"$2" -i "$urls" >"$urls.load" &
    clients+=($!)
  done
  wait "${clients[@]}"
  stop "$process"
  for urls in "$work"/urls.*.load; do
    answered "$2" "$urls"
  done
  counted=$(sed -n 's/^\(summary\|totals\): *\([0-9]*\).*/\2/p' "$work/counts" | head -n 1)
  rm -f "$work/counts" "$work"/urls.*
}

# routed ROUTES: sets `slope`.
routed() {
  count_routed "$1" "${PER_CLIENT[0]}"
  local few=$counted
  count_routed "$1" "${PER_CLIENT[1]}"
  slope=$(((counted - few) / (CLIENTS * (PER_CLIENT[1] - PER_CLIENT[0]))))
}

origin_program=$(build origin)
gateway_program=$(build gateway_proxy)
served_program=$(build served_proxy)
start "$work/origin" "$origin_program"
origin=$address

method="strace -c slope over $FEW and $MANY requests after a warm-up, h2load -c$CLIENTS --h1, kept connections"
syscalls "$gateway_program" /orders/42
figure syscalls.get1k "$slope_exact" calls at_most 4.3 "$method, 1 KiB"
syscalls "$served_program" /orders/42
figure_open syscalls.get1k.served "$slope_exact" calls "$method, 1 KiB, serve::Server"
syscalls "$gateway_program" /large/42
figure_open syscalls.get64k "$slope_exact" calls "$method, 64 KiB"

method="growth of resident memory by $HELD connections"
weigh "$served_program" answered
figure memory.idle_connection "$weight" bytes at_most 4096 "$method that had one answer, each, serve::Server"
weigh "$gateway_program" answered
figure_open memory.idle_connection.hyper "$weight" bytes "$method that had one answer, each, hyper's own server"
weigh "$served_program" half
figure memory.half_header "$weight" bytes at_most 18432 "$method with half a head, each, serve::Server"

method="most resident memory while $STREAMS connections got $STREAMED answers of 64 KiB"
stream "$gateway_program"
figure memory.256x64k "$weight" bytes at_most 25165824 "$method"
stream "$served_program"
figure_open memory.256x64k.served "$weight" bytes "$method, serve::Server"

routed "${ROUTES[0]}"
few=$slope
routed "${ROUTES[1]}"
figure routes.growth "$(awk -v many="$slope" -v few="$few" 'BEGIN { printf "%.3f", many / few }')" ratio \
  at_most 1.10 "instructions a request with ${ROUTES[1]} routes, $slope, / with ${ROUTES[0]}, $few: callgrind \
slope over $((CLIENTS * PER_CLIENT[0])) and $((CLIENTS * PER_CLIENT[1])) requests of $CLIENTS clients, all routes equally"
