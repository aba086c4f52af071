"""Processes of others: started on a core, asked what they used, ended by their own id."""

import os
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

START_WITHIN = 60.0
END_WITHIN = 10.0


class Absent(Exception):
    """A peer that cannot be had or started; the text says why."""


def twice(attempt, *arguments):
    """One hiccup of the machine makes nobody absent."""
    try:
        return attempt(*arguments)
    except (Absent, OSError, subprocess.SubprocessError):
        return attempt(*arguments)


def free_address():
    """A loopback address nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def get(address, path):
    """Status and body."""
    request = urllib.request.Request(f"http://{address}{path}", headers={"Host": "127.0.0.1"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


class Process:
    """A server with everything it starts, pinned to one core."""

    def __init__(self, name, command, core, work, env=None, cwd=None):
        self.name = name
        self.log = Path(work) / f"{name}.out"
        with open(self.log, "wb") as log:
            self.child = subprocess.Popen(
                ["taskset", "-c", str(core), *map(str, command)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                cwd=cwd or work,
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def lines(self, count):
        """The first lines of its output, once they are there."""
        return self._wait(lambda: self._first_lines(count), "said nothing")

    def answering(self, address, path):
        """Waits until it answers 200."""

        def answered():
            try:
                return get(address, path)[0] == 200
            except OSError:
                return False

        return self._wait(answered, f"did not answer {path} with 200")

    def _first_lines(self, count):
        whole = self.log.read_text(errors="replace").split("\n")[:-1]
        return whole[:count] if len(whole) >= count else None

    def _wait(self, ready, otherwise):
        until = time.monotonic() + START_WITHIN
        while time.monotonic() < until:
            if value := ready():
                return value
            if self.child.poll() is not None:
                raise Absent(f"ended with {self.child.returncode}: {self._last_words()}")
            time.sleep(0.02)
        raise Absent(f"{otherwise} within {START_WITHIN:.0f} s: {self._last_words()}")

    def _last_words(self):
        text = self.log.read_text(errors="replace").strip()
        return text.splitlines()[-1][:200] if text else "no output"

    def family(self):
        """Its id and those of all that descend from it."""
        parents = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    stat = Path(f"/proc/{entry}/stat").read_text()
                except OSError:
                    continue
                parents[int(entry)] = int(stat.rpartition(")")[2].split()[1])
        family = [self.child.pid]
        for member in family:
            family += [child for child, parent in parents.items() if parent == member]
        return family

    def usage(self):
        """Nanoseconds on a core, and clock ticks in user and in kernel mode."""
        nanoseconds = user = system = 0
        for pid in self.family():
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                tasks = list(Path(f"/proc/{pid}/task").iterdir())
                nanoseconds += sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)
            except OSError:
                continue
            user, system = user + int(fields[11]), system + int(fields[12])
        return nanoseconds, user, system

    def resident(self):
        """Bytes in memory, those shared among its processes counted once for each."""
        total = 0
        for pid in self.family():
            try:
                status = Path(f"/proc/{pid}/status").read_text()
            except OSError:
                continue
            total += sum(
                1024 * int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")
            )
        return total

    def end(self):
        if self.child.poll() is not None:
            return
        self.child.send_signal(signal.SIGTERM)
        try:
            self.child.wait(END_WITHIN)
        except subprocess.TimeoutExpired:
            for pid in reversed(self.family()):
                os.kill(pid, signal.SIGKILL)
            self.child.wait()
