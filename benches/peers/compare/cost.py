"""CPU time per request: every proxy once a round, the order rotated, the proxy alone on its core."""

import re
import subprocess

from process import Absent, get, twice
from proxies import COSTS, LOAD_CORE

CONNECTIONS = 64
PATHS = {"1k": ("/orders/42", 1024), "64k": ("/large/42", 65536)}


def wrk(program, address, path, seconds):
    """Answered and failed requests, seconds, requests a second, and the p99 in microseconds."""
    command = [
        "taskset", "-c", str(LOAD_CORE), program, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s",
        "--latency", f"http://{address}{path}",
    ]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    answered = re.search(r"(\d+) requests in ([\d.]+)(ms|s|m)", said)
    if not answered or int(answered[1]) == 0:
        raise Absent(f"answered nothing to wrk: {said.strip()[-200:]}")
    failed = sum(int(count) for count in re.findall(r"Non-2xx or 3xx responses: (\d+)", said))
    for errors in re.findall(r"Socket errors: (.*)", said):
        failed += sum(int(count) for count in re.findall(r"\d+", errors))
    tail = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    return {
        "requests": int(answered[1]),
        "failed": failed,
        "seconds": float(answered[2]) * {"ms": 0.001, "s": 1, "m": 60}[answered[3]],
        "p99_us": float(tail[1]) * {"us": 1, "ms": 1_000, "s": 1_000_000}[tail[2]],
    }


def measure(context, proxy, path, options):
    """One row: what a request cost of the core."""
    program = context.program("wrk")
    wrk(program, proxy.address, path, options.warm_up)
    before = proxy.process.usage()
    row = wrk(program, proxy.address, path, options.seconds)
    after = proxy.process.usage()
    nanoseconds, user, system = (more - less for more, less in zip(after, before))
    row["cpu_us"] = nanoseconds / 1_000 / row["requests"]
    # Clock ticks are coarse: they only share out what was measured exactly.
    share = user / (user + system) if user + system else 0.0
    row["user_us"], row["system_us"] = row["cpu_us"] * share, row["cpu_us"] * (1 - share)
    row["per_second"] = row["requests"] / row["seconds"]
    row["utilisation"] = nanoseconds / 1e9 / row["seconds"]
    return row


def run_one(context, name, options):
    _, start = COSTS[name]
    with start(context, name, context.origin, 0) as proxy:
        rows = {}
        for size, (path, length) in PATHS.items():
            proxy.process.answering(proxy.address, path)
            body = get(proxy.address, path)[1]
            if len(body) != length:
                raise Absent(f"answered {len(body)} instead of {length} bytes")
            rows[size] = measure(context, proxy, path, options)
        rows["resident"] = proxy.process.resident()
        return rows


def run(context, options):
    """Rows by proxy, one a round, and why others have none."""
    names = [name for name in COSTS if not options.proxies or name in options.proxies]
    rounds, absent = {name: [] for name in names}, {}
    for number in range(options.rounds):
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            if name in absent:
                continue
            try:
                row = twice(run_one, context, name, options)
            except (Absent, OSError, subprocess.SubprocessError) as why:
                absent[name] = str(why)
                print(f"round {number + 1}: {name} is absent: {why}", flush=True)
                continue
            rounds[name].append(row)
            told = ", ".join(
                f"{size} {row[size]['cpu_us']:.1f} µs at {row[size]['utilisation']:.2f}" for size in PATHS
            )
            print(f"round {number + 1}: {name}: {told}", flush=True)
    measured = {name: rows for name, rows in rounds.items() if rows and name not in absent}
    return {"rounds": measured, "absent": absent}
