"""Compares backhaul with its peers; `run` beside this folder installs and builds what is needed.

    python3 compare PROGRAMS FOLDER [options]

PROGRAMS has a line for each program, `name<TAB>path` or `name<TAB>!why there is none`. Into FOLDER go
peers.json, peers.md and peers.svg; figures are appended to figures.jsonl beside it, but for a try.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import chart
import cost
import figures
import moving
import table
from facts import machine, versions
from proxies import Context


def arguments():
    parser = argparse.ArgumentParser(prog="benches/peers/run")
    parser.add_argument("programs", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=5, help="of the cost of requests; 0 for none")
    parser.add_argument("--seconds", type=int, default=3, help="of each measurement")
    parser.add_argument("--warm-up", type=int, default=1, help="seconds before each measurement")
    parser.add_argument("--moves", type=int, default=3, help="rounds of moving the upstream; 0 for none")
    parser.add_argument("--before", type=float, default=1.0, help="seconds of traffic before a move")
    parser.add_argument("--after", type=float, default=3.0, help="seconds of traffic after it")
    parser.add_argument("--routes", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--proxies", nargs="+", help="only these")
    parser.add_argument("--try", dest="trying", action="store_true", help="short, and no figures")
    options = parser.parse_args()
    if options.trying:
        options.rounds, options.moves = min(options.rounds, 1), min(options.moves, 1)
        options.seconds = options.warm_up = 1
        options.before, options.after = 0.3, 1.5
    return options


def read_programs(path):
    return dict(line.split("\t", 1) for line in path.read_text().splitlines())


def main():
    options = arguments()
    programs = read_programs(options.programs)
    result = {
        "when": time.strftime("%Y-%m-%d"),
        "machine": machine(),
        "versions": versions(programs),
        "settings": {
            name: getattr(options, name)
            for name in ("rounds", "seconds", "warm_up", "moves", "before", "after", "routes")
        },
    }
    with tempfile.TemporaryDirectory() as work:
        context = Context(work, options.folder, programs)
        with context.start_origin():
            result["cost"] = cost.run(context, options)
            result["moving"] = moving.run(context, options)
    summary = figures.summarize(result)
    (options.folder / "peers.json").write_text(json.dumps({**result, "summary": summary}, indent=1) + "\n")
    (options.folder / "peers.md").write_text(table.markdown(result, summary))
    (options.folder / "peers.svg").write_text(chart.svg(summary))
    print((options.folder / "peers.md").read_text())
    missing = figures.emit(summary, None if options.trying else options.folder.parent / "figures.jsonl")
    if missing and options.rounds and not options.proxies:
        sys.exit(f"figures with a limit are missing: {', '.join(missing)}")


main()
