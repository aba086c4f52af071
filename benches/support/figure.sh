# What the scripts share. Source it from the top of the repository.

# figure NAME VALUE UNIT at_most|at_least LIMIT METHOD
figure() {
  mkdir -p target
  printf '{"figure":"%s","value":%s,"unit":"%s","%s":%s,"method":"%s"}\n' "$@" \
    >>target/figures.jsonl
  printf '%-26s %14s %s (%s %s)\n' "$1" "$2" "$3" "$4" "$5"
}

# figure_open NAME VALUE UNIT METHOD: one without a limit, which explains another.
figure_open() {
  mkdir -p target
  printf '{"figure":"%s","value":%s,"unit":"%s","method":"%s"}\n' "$@" >>target/figures.jsonl
  printf '%-26s %14s %s\n' "$1" "$2" "$3"
}

# The table of everything in target/figures.jsonl.
figures_table() {
  awk '
    function field(key,  at) {
      if (!match($0, "\"" key "\":(\"[^\"]*\"|[-+0-9.eE]+)")) return ""
      at = substr($0, RSTART + length(key) + 3, RLENGTH - length(key) - 3)
      gsub(/"/, "", at)
      return at
    }
    function row(name, value, unit, limit, met) {
      printf "%-26s %14s %-6s %-18s %s\n", name, value, unit, limit, met
    }
    BEGIN { row("figure", "value", "unit", "limit", "met?") }
    {
      value = field("value"); most = field("at_most"); least = field("at_least")
      limit = most != "" ? "at most " most : least != "" ? "at least " least : "-"
      met = most != "" ? (value + 0 <= most + 0 ? "yes" : "NO") : \
        least != "" ? (value + 0 >= least + 0 ? "yes" : "NO") : "-"
      row(field("figure"), sprintf("%.3f", value), field("unit"), limit, met)
    }' target/figures.jsonl
}
