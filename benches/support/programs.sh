# Programs of benchmarks: built, started, and ended with the script that sources this. It has a folder for
# what it writes, `$work`. Source it from the top of the repository.

work=$(mktemp -d)
declare -A running=() # by id, so that who has ended is not ended again
finish() {
  for process in "${!running[@]}"; do
    kill "$process" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap finish EXIT

# needed PROGRAM=PACKAGE…: ends the script if one of them is missing.
needed() {
  local pair
  for pair; do
    command -v "${pair%=*}" >/dev/null || {
      echo "${pair%=*} is missing: apt-get install ${pair#*=}" >&2
      exit 1
    }
  done
}

# build NAME: the path of a benchmark's program.
build() {
  cargo bench --no-run --features full,testing --bench "$1" --message-format=json-render-diagnostics |
    sed -n "s/.*\"name\":\"$1\".*\"executable\":\"\([^\"]*\)\".*/\1/p"
}

# start OUTPUT COMMAND…: runs a server, and sets `process` and `address` once it says where it listens.
start() {
  local output=$1
  shift
  : >"$output" # what an earlier one said is not to be read before this one's shell empties it
  "$@" >"$output" 2>"$output.err" &
  process=$!
  running[$process]=1
  address=
  for _ in {1..1800}; do
    address=$(head -n 1 "$output")
    [[ -z $address ]] || return 0
    kill -0 "$process" 2>/dev/null || break
    sleep 0.1
  done
  echo "$1 did not start" >&2
  cat "$output.err" >&2
  return 1
}

# stop PROCESS: ends what was started, and waits for it.
stop() {
  kill -TERM "$1"
  wait "$1"
  unset "running[$1]"
}
