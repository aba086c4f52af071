# What one request costs a program, as the slope over a small and a large number of requests: what is not
# the requests' is the same in both, and what is left is the same on every machine. Source it after
# programs.sh; `$origin` is where the program leads to.

FEW=1000
MANY=6000
CLIENTS=16

# What a program is started with, beside the origin.
options=()

# answered REQUESTS OUTPUT: fails unless h2load says that so many were answered, all of them well.
answered() {
  grep -q "$1 succeeded, 0 failed, 0 errored" "$2" && grep -q "2xx: \?$1\|$1 2xx" "$2" && return
  echo "not every request was answered well" >&2
  cat "$2" >&2
  return 1
}

# per_request FEW MANY: the slope, to two decimals.
per_request() {
  awk -v few="$1" -v many="$2" -v by="$((MANY - FEW))" 'BEGIN { printf "%.2f", (many - few) / by }'
}

# count TOOL PROGRAM REQUESTS PATH [H2LOAD ARGUMENT…]: sets `counted` for one run, to the user
# instructions (callgrind) or to the blocks of memory that were asked for (dhat).
count() {
  local tool=$1 program=$2 requests=$3 path=$4
  shift 4
  start "$work/proxy" valgrind --tool="$tool" "--$tool-out-file=$work/counts" "$program" "$origin" \
    "${options[@]}"
  h2load --h1 -t1 -c"$CLIENTS" -n"$requests" "$@" "http://$address$path" >"$work/load"
  stop "$process"
  answered "$requests" "$work/load" || {
    cat "$work/proxy.err" >&2
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
  slope_exact=$(per_request "$few" "$counted")
}
