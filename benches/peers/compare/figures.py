"""Medians and ratios of what was measured, and the figures that have limits."""

import json
from statistics import median

OURS = ("backhaul", "backhaul_served")
METHOD = (
    "CPU time a request of {ours} / of {peer}, {size} GET, median of {rounds} interleaved rounds, wrk -c64, "
    "one thread on a core of its own"
)
# Figure, peer, size, and what it must not exceed.
RATIOS = [
    ("bare_hyper", "bare_hyper", "1k", 1.10),
    ("haproxy_64k", "haproxy", "64k", 0.95),
    ("pingora", "pingora", "1k", 0.70),
    ("axum_reverse_proxy", "axum_reverse_proxy", "1k", 0.75),
    ("envoy", "envoy", "1k", 0.50),
    ("nginx", "nginx", "1k", None),
    ("haproxy", "haproxy", "1k", None),
]
LEAST_UTILISATION = 0.9


def summarize(result):
    """Medians by proxy and size, and of the moves by number of routes and proxy."""
    rounds = result["cost"]["rounds"]
    costs = {}
    for name, rows in rounds.items():
        costs[name] = {"resident": median(row["resident"] for row in rows)}
        for size in ("1k", "64k"):
            keys = ("cpu_us", "user_us", "system_us", "per_second", "p99_us", "utilisation")
            costs[name][size] = {key: median(row[size][key] for row in rows) for key in keys}
            costs[name][size]["failed"] = sum(row[size]["failed"] for row in rows)
            busy = min(row[size]["utilisation"] for row in rows)
            costs[name][size]["suspect"] = busy < LEAST_UTILISATION
    moves = {
        routes: {name: middle(rows) for name, rows in names.items()}
        for routes, names in result["moving"]["rounds"].items()
    }
    return {"costs": costs, "ratios": ratios(rounds), "moves": moves}


def ratios(rounds):
    """Ours over each other one, by size: the median of the ratios within a round."""
    found = {}
    for ours in OURS:
        for peer in rounds:
            for size in ("1k", "64k"):
                pairs = zip(rounds.get(ours, []), rounds[peer])
                values = [mine[size]["cpu_us"] / its[size]["cpu_us"] for mine, its in pairs]
                if values:
                    entry = {"value": median(values), "all": values, "rounds": len(values)}
                    found.setdefault(ours, {}).setdefault(peer, {})[size] = entry
    return found


def middle(rows):
    """Medians of the times; the worst of what must not be."""
    keys = ("ack_ms", "first_new_ms", "p99_before_ms", "p99_after_ms", "resident", "resident_after")
    middle = {key: median(row[key] for row in rows) for key in keys}
    middle.update({key: max(row[key] for row in rows) for key in ("old_after_ack", "failed", "retried")})
    return middle


def emit(summary, path):
    """Appends the figures to the file, if there is one; returns those with a limit that have no value."""
    missing, lines = [], []
    for name, peer, size, limit in RATIOS:
        for ours, suffix in zip(OURS, ("", ".served")):
            entry = summary["ratios"].get(ours, {}).get(peer, {}).get(size)
            figure, limit = f"cpu_ratio.{name}{suffix}", None if suffix else limit
            if entry is None:
                missing += [figure] if limit else []
                continue
            how = METHOD.format(ours=ours, peer=peer, size=size, rounds=entry["rounds"])
            line = {"figure": figure, "value": round(entry["value"], 4), "unit": "ratio"}
            line |= {"at_most": limit} if limit else {}
            lines.append({**line, "method": how})
            print(f"{figure:<34} {entry['value']:>8.3f} ratio" + (f"  at most {limit}" if limit else ""))
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.writelines(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    return missing
