#!/usr/bin/env bash
# How heavy the crate is without features: how many crates, and how long a clean check takes.
set -euo pipefail
cd "$(dirname "$0")/.."
source benches/support/figure.sh

crates=$(cargo tree --no-default-features --edges no-dev --prefix none --no-dedupe --format '{p}' |
  awk '{ print $1, $2 }' | sort -u | wc -l)
figure core.crates "$crates" crates at_most 90 "cargo tree, this crate included"

# Downloading is not checking.
cargo fetch --locked
clean=$(mktemp -d)
trap 'rm -rf "$clean"' EXIT
start=$EPOCHREALTIME
CARGO_TARGET_DIR=$clean cargo check --locked --no-default-features
seconds=$(awk -v from="$start" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f", to - from }')
figure core.check "$seconds" s at_most 60 "cargo check --no-default-features in an empty target folder"
