#!/usr/bin/env bash
# Good traffic beside a thousand slow clients of each kind, as a share of what it is without them.
set -euo pipefail
cd "$(dirname "$0")/.."

DESCRIPTORS=16384 # four thousand slow clients and what is beside them

command -v slowhttptest >/dev/null || {
  echo "slowhttptest is missing: apt-get install slowhttptest" >&2
  exit 1
}
ulimit -n "$DESCRIPTORS"

program=$(cargo bench --no-run --features full,testing --bench slow_clients \
  --message-format=json-render-diagnostics |
  sed -n 's/.*"name":"slow_clients".*"executable":"\([^"]*\)".*/\1/p')

work=$(mktemp -d)
server=
finish() {
  [[ -z $server ]] || kill "$server" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

"$program" serve >"$work/address" &
server=$!
for _ in {1..100}; do
  [[ ! -s $work/address ]] || break
  sleep 0.1
done
"$program" drive "$(head -n 1 "$work/address")"
