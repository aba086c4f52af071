"""What one of many connections weighs in the memory of a server.

    connections.py PROCESS ADDRESS COUNT answered|half

With `answered`, each has had one answer and rests; with `half`, each has sent half of a request's head.
Prints by how many bytes the resident memory grew for each.
"""

import socket
import sys
import time
from pathlib import Path

REQUEST = b"GET /orders/42 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
WARM_UP = 100
SETTLED = 1.0


def resident(process):
    time.sleep(SETTLED)
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        if line.startswith("Rss:"):
            return 1024 * int(line.split()[1])
    sys.exit("the server's memory cannot be read")


def answered(address):
    connection = socket.create_connection(address, timeout=10)
    connection.sendall(REQUEST + b"\r\n")
    answer = b""
    while not answer.partition(b"\r\n\r\n")[2].endswith(b"x" * 1024):
        part = connection.recv(65536)
        if not part:
            sys.exit(f"not answered: {answer!r}")
        answer += part
    return connection


def half(address):
    connection = socket.create_connection(address, timeout=10)
    connection.sendall(REQUEST + b"X-Half: ")
    return connection


def closed(connection):
    """Whether the server gave it up."""
    connection.setblocking(False)
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False


def main():
    process, address, count, what = sys.argv[1:]
    host, port = address.split(":")
    connect = {"answered": answered, "half": half}[what]
    # What the server needs once is not of a connection.
    first = [answered((host, int(port))) for _ in range(WARM_UP)]
    before = resident(process)
    held = [connect((host, int(port))) for _ in range(int(count))]
    after = resident(process)
    if gone := sum(closed(connection) for connection in held + first):
        sys.exit(f"{gone} connections are not there any more")
    print((after - before) // len(held))


main()
