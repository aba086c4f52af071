#!/usr/bin/env bash
# How many rows of the catalogue of what a gateway must withstand have a test, or a written reason.
set -euo pipefail
cd "$(dirname "$0")/.."
source benches/support/figure.sh

said=$(cargo test --features full,testing --test it hardening::every_row -- --nocapture |
  sed -n 's/^hardening\.rows: //p')
read -r rows with reason without < <(
  sed -n 's/^\([0-9]*\) rows, \([0-9]*\) with tests, \([0-9]*\) with a reason, \([0-9]*\) without$/\1 \2 \3 \4/p' \
    <<<"$said"
) || {
  echo "the test did not tell: $said" >&2
  exit 1
}
figure hardening.rows $((rows - without)) rows at_least "$rows" \
  "rows F, H, P, T, R, U, S and A of the catalogue: $with with tests named after them, $reason with a written reason"
