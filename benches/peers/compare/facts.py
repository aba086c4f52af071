"""What was compared, and on which machine."""

import os
import re
import subprocess
from pathlib import Path

from proxies import HERE


def versions(programs):
    """What the programs of others say they are, and the crates that stand in the lock file."""
    found = {}
    for name, option in {"nginx": "-v", "haproxy": "-v", "caddy": "version", "envoy": "--version"}.items():
        path = programs.get(name, "!")
        if not path.startswith("!"):
            said = subprocess.run([path, option], capture_output=True, text=True, check=False)
            number = re.search(r"(?<![\w.])v?(\d+\.\d+\.\d+)", (said.stdout + said.stderr).replace("/", " "))
            found[name] = number[1] if number else "unknown"
    lock = (HERE / "Cargo.lock").read_text()
    for name, crate in {"pingora": "pingora", "axum_reverse_proxy": "axum-reverse-proxy", "bare_hyper": "hyper"}.items():
        number = re.search(rf'name = "{crate}"\nversion = "([^"]*)"', lock)
        found[name] = number[1] if number else "unknown"
    return found


def machine():
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return {
        "cpu": cpu[1] if cpu else "unknown",
        "cores": os.cpu_count(),
        "kernel": os.uname().release,
        "load": os.getloadavg()[0],
    }
