"""Moving an upstream that all routes share, while a thousand requests a second arrive."""

import json
import subprocess

from process import Absent, twice
from proxies import LOAD_CORE, MOVES

PATIENCE = 180
# The paths that are asked for are those of the first routes: who looks through its routes one by one is
# measured for how it is moved, not for how it finds the last of them.
ASKED = 10


def run_one(context, name, routes, options):
    _, start = MOVES[name]
    with start(context, name, context.old, routes) as proxy:
        proxy.process.answering(proxy.address, f"/r{routes - 1:05}/x")
        resident = proxy.process.resident()
        command = [
            "taskset", "-c", LOAD_CORE, context.program("moving"), proxy.address, min(routes, ASKED),
            options.before, options.after, *proxy.way,
        ]
        said = subprocess.run(
            [str(part) for part in command], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        if said.returncode:
            raise Absent(f"could not be moved: {said.stderr.strip()[-300:]}")
        row = json.loads(said.stdout)
        if not row["old"] or not row["new"]:
            raise Absent(f"was not moved: {said.stdout.strip()}")
        return {**row, "resident": resident, "resident_after": proxy.process.resident()}


def run(context, options):
    """Rows by number of routes and proxy, one a round, and why others have none."""
    names = [name for name in MOVES if not options.proxies or name in options.proxies]
    rows, absent = {str(routes): {} for routes in options.routes}, {}
    for number in range(options.moves):
        shift = number % len(names)
        for routes in options.routes:
            for name in names[shift:] + names[:shift]:
                if name in absent:
                    continue
                try:
                    row = twice(run_one, context, name, routes, options)
                except (Absent, OSError, subprocess.SubprocessError) as why:
                    absent[name] = f"with {routes} routes: {why}"
                    print(f"move {number + 1}: {name} is absent {absent[name]}", flush=True)
                    continue
                rows[str(routes)].setdefault(name, []).append(row)
                print(
                    f"move {number + 1}: {name}, {routes} routes: ack {row['ack_ms']:.1f} ms, first new "
                    f"{row['first_new_ms']:.1f} ms, {row['old_after_ack']} to the old one after the ack, "
                    f"{row['failed']} failed",
                    flush=True,
                )
    return {"rounds": rows, "absent": absent}
