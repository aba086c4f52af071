"""The tables."""

from proxies import COSTS, MOVES

SIZES = {"1k": "1 KiB", "64k": "64 KiB"}


def label(name, names, versions):
    peer = names[name][0]
    first, _, rest = peer.partition(",")
    version = versions.get(name)
    return f"{first} {version}" + (f",{rest}" if rest else "") if version else peer


def markdown(result, summary):
    settings, machine = result["settings"], result["machine"]
    parts = [
        f"Measured {result['when']} on {machine['cores']} cores ({machine['cpu']}), Linux {machine['kernel']}, "
        "loopback. Every proxy with one thread on a core of its own, load generator and origin on another; "
        "keep-alive on both sides, no access logs."
    ]
    if settings["rounds"]:
        parts.append(
            f"64 connections, medians of {settings['rounds']} interleaved rounds of {settings['seconds']} s. CPU time "
            "is the scheduler's, of all of a proxy's threads, over the requests it answered. A share is the median "
            "of those within a round: below 1, backhaul needs less."
        )
    for size, name in SIZES.items() if settings["rounds"] else ():
        parts.append(f"### CPU time of a {name} GET\n\n" + costs(result, summary, size))
    for routes, moves in (item for item in summary["moves"].items() if settings["moves"]):
        heading = f"### Moving the upstream of {int(routes):,} routes under 1,000 requests a second"
        parts.append(f"{heading}\n\n" + moved(result, moves))
    if settings["moves"]:
        parts.append(
            "Milliseconds from the moment a proxy is told until it says done, and until the first answer of the new "
            f"origin; medians of {settings['moves']} moves, the worst of what should be 0."
        )
    absent = {**result["cost"]["absent"], **result["moving"]["absent"]}
    if absent:
        rows = "\n".join(f"| {name} | {cell(why)} |" for name, why in sorted(absent.items()))
        parts.append(f"### Absent\n\n| who | why |\n|---|---|\n{rows}")
    return "\n\n".join(parts) + "\n"


def cell(text):
    return " ".join(str(text).split()).replace("|", "\\|")


def costs(result, summary, size):
    head = "| proxy | CPU µs (user + system) | backhaul's share | with `serve::Server` | req/s | p99 ms | busy |"
    lines, suspect, failed = [head, "|---|---|---|---|---|---|---|"], False, False
    for name in COSTS:
        row = summary["costs"].get(name, {}).get(size)
        if row is None:
            if name in result["cost"]["absent"]:
                lines.append(f"| {label(name, COSTS, result['versions'])} | absent | | | | | |")
            continue
        marks = ("\\*" if row["suspect"] else "") + ("†" if row["failed"] else "")
        suspect, failed = suspect or row["suspect"], failed or row["failed"]
        both = [
            f"{entry['value']:.2f}" if (entry := summary["ratios"].get(ours, {}).get(name, {}).get(size)) else ""
            for ours in ("backhaul", "backhaul_served")
        ]
        lines.append(
            f"| {label(name, COSTS, result['versions'])}{marks} | {row['cpu_us']:.1f} ({row['user_us']:.1f} + "
            f"{row['system_us']:.1f}) | {both[0]} | {both[1]} | {row['per_second']:,.0f} | "
            f"{row['p99_us'] / 1000:.2f} | {row['utilisation']:.2f} |"
        )
    notes = ["\\* its core was not the bottleneck in every round."] if suspect else []
    notes += ["† requests failed."] if failed else []
    return "\n".join(lines) + ("\n\n" + " ".join(notes) if notes else "")


def moved(result, moves):
    head = "| way | done | first new answer | to the old one after done | failed | p99 ms before, after | MiB before, after |"
    lines = [head, "|---|---|---|---|---|---|---|"]
    for name in MOVES:
        row = moves.get(name)
        if row is None:
            if name in result["moving"]["absent"]:
                lines.append(f"| {label(name, MOVES, result['versions'])} | absent | | | | | |")
            continue
        lines.append(
            f"| {label(name, MOVES, result['versions'])} | {row['ack_ms']:.1f} | {row['first_new_ms']:.1f} | "
            f"{row['old_after_ack']} | {row['failed']} | {row['p99_before_ms']:.1f}, {row['p99_after_ms']:.1f} | "
            f"{row['resident'] / 2**20:.0f}, {row['resident_after'] / 2**20:.0f} |"
        )
    return "\n".join(lines)
