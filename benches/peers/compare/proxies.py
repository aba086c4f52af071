"""Every proxy that is compared: how it is set up, with how many routes, and how it is told to move."""

import getpass
import json
import re
from pathlib import Path

from process import Absent, Process, free_address

HERE = Path(__file__).resolve().parent.parent
KIBIBYTE = "x" * 1024
PROXY_CORE, LOAD_CORE = 0, 1


def fill(template, **values):
    """The text of a file in configs/, with every `@name@` replaced."""
    text = (HERE / "configs" / template).read_text()
    return re.sub(r"@(\w+)@", lambda found: str(values[found[1]]), text)


def socket_address(address):
    host, port = address.split(":")
    return json.dumps({"address": host, "port_value": int(port)})


def prefixes(routes):
    return [f"/r{route:05}/" for route in range(routes)]


class Context:
    """Where things are: a folder for settings, one on a disk, programs, and the origin's addresses."""

    def __init__(self, work, disk, programs):
        self.work, self.disk, self.programs = Path(work), Path(disk), programs
        self.origin, self.old, self.new = (free_address() for _ in range(3))

    def program(self, name):
        path = self.programs.get(name, "!nobody built or installed it")
        if path.startswith("!"):
            raise Absent(path[1:])
        return path

    def write(self, name, text):
        path = self.work / name
        path.write_text(text)
        return path

    def start_origin(self):
        (self.work / "large.bin").write_bytes(b"x" * 65536)
        settings = fill(
            "origin.nginx.conf", user=getpass.getuser(), work=self.work, kibibyte=KIBIBYTE,
            origin=self.origin, old=self.old, new=self.new,
        )
        path = self.write("origin.conf", settings)
        command = [self.program("nginx"), "-p", self.work, "-e", self.work / "origin.log", "-c", path]
        origin = Process("origin", command, LOAD_CORE, self.work)
        origin.answering(self.origin, "/")
        return origin


class Proxy:
    """A proxy that is running: `process` at `address`, and the `way` its upstream is moved."""

    def __init__(self, process, address, way=()):
        self.process, self.address, self.way = process, address, [str(part) for part in way]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.end()


def listening(context, name, origin, routes):
    """A program of ours that says where it listens."""
    command = [context.program(name), origin, *([routes] if routes else [])]
    process = Process(name, command, PROXY_CORE, context.work)
    return Proxy(process, process.lines(1)[0])


def served(context, name, origin, routes):
    """The server of this crate, in memory or with a file."""
    command = [context.program("served_proxy"), origin, routes]
    if name == "backhaul_redb":
        file = context.disk / "moving.redb"
        file.unlink(missing_ok=True)
        command.append(file)
    process = Process(name, command, PROXY_CORE, context.work)
    address, control = process.lines(2)
    return Proxy(process, address, ["say", "tcp", control, context.new, "moved"])


def built(context, name, origin, _):
    """A program that is told where to listen."""
    address = free_address()
    command = [context.program(name), address, origin]
    return Proxy(Process(name, command, PROXY_CORE, context.work), address)


def nginx(context, name, origin, routes):
    address = free_address()
    paths = prefixes(routes) or ["/"]
    locations = "\n".join(f"    location {path} {{ proxy_pass http://shared; }}" for path in paths)

    def settings(upstream):
        return fill(
            "nginx.conf", user=getpass.getuser(), work=context.work, listen=address,
            origin=upstream, routes=locations,
        )

    path = context.write("nginx.conf", settings(origin))
    moved = context.write("nginx.moved.conf", settings(context.new))
    command = [context.program("nginx"), "-p", context.work, "-e", context.work / "nginx.log", "-c", path]
    process = Process(name, command, PROXY_CORE, context.work)
    tell = f"mv {moved} {path} && kill -HUP {process.child.pid}"
    return Proxy(process, address, ["run", "sh", "-c", tell])


def haproxy(context, name, origin, routes):
    address = free_address()
    rules = "default_backend shared"
    if routes:
        lines = "".join(f"{path} shared\n" for path in prefixes(routes))
        rules = f"use_backend %[path,map_beg({context.write('haproxy.map', lines)})]"
    settings = fill("haproxy.cfg", work=context.work, listen=address, origin=origin, routes=rules)
    command = [context.program("haproxy"), "-db", "-f", context.write("haproxy.cfg", settings)]
    process = Process(name, command, PROXY_CORE, context.work)
    host, port = context.new.split(":")
    line = f"set server shared/one addr {host} port {port}"
    return Proxy(process, address, ["say", "unix", context.work / "haproxy.sock", line, "port changed"])


def envoy(context, name, origin, routes):
    address, admin = free_address(), free_address()
    rules = json.dumps([
        {"match": {"prefix": path}, "route": {"cluster": "shared"}} for path in prefixes(routes) or ["/"]
    ])
    context.write("endpoints.json", fill("endpoints.json", version=1, origin=socket_address(origin)))
    moved = context.write(
        "moved.json", fill("endpoints.json", version=2, origin=socket_address(context.new))
    )
    settings = fill(
        "envoy.json", work=context.work, admin=socket_address(admin),
        listen=socket_address(address), routes=rules,
    )
    command = [
        context.program("envoy"), "-c", context.write("envoy.json", settings),
        "--concurrency", 1, "--log-level", "error", "--disable-hot-restart",
    ]
    process = Process(name, command, PROXY_CORE, context.work)
    target = context.work / "endpoints.json"
    return Proxy(process, address, ["replace", moved, target, admin, "/clusters", context.new])


def caddy(context, name, origin, routes):
    address, admin = free_address(), free_address()
    transport = {"protocol": "http", "keep_alive": {"max_idle_conns_per_host": 128}}

    def settings(upstream):
        handle = [
            {"handler": "reverse_proxy", "transport": transport, "upstreams": [{"dial": upstream}]}
        ]
        rules = [{"match": [{"path": [f"{path}*"]}], "handle": handle} for path in prefixes(routes)]
        return fill(
            "caddy.json", admin=admin, listen=address, routes=json.dumps(rules or [{"handle": handle}])
        )

    moved = context.write("caddy.moved.json", settings(context.new))
    command = [
        context.program("caddy"), "run", "--config", context.write("caddy.json", settings(origin))
    ]
    folders = {"HOME": str(context.work), "XDG_DATA_HOME": str(context.work), "GOMAXPROCS": "1"}
    process = Process(name, command, PROXY_CORE, context.work, env=folders)
    return Proxy(process, address, ["post", admin, "/load", moved])


# What the tables call them, and who sets them up. The first one is what all others are compared with.
COSTS = {
    "backhaul": ("**backhaul** behind hyper's server", lambda c, n, o, r: listening(c, "gateway_proxy", o, r)),
    "backhaul_served": ("**backhaul** behind `serve::Server`", served),
    "backhaul_pool": ("backhaul's pool without the gateway", lambda c, n, o, r: listening(c, "bare_proxy", o, 0)),
    "bare_hyper": ("bare hyper, a stack of connections", built),
    "haproxy": ("HAProxy", haproxy),
    "nginx": ("nginx", nginx),
    "axum_reverse_proxy": ("axum-reverse-proxy", built),
    "pingora": ("Pingora", built),
    "envoy": ("Envoy", envoy),
    "caddy": ("Caddy", caddy),
}
MOVES = {
    "backhaul_served": ("**backhaul**, `define`, in memory", served),
    "backhaul_redb": ("**backhaul**, `define`, in a file (redb)", served),
    "haproxy": ("HAProxy, runtime API", haproxy),
    "envoy": ("Envoy, EDS by file", envoy),
    "caddy": ("Caddy, load", caddy),
    "nginx": ("nginx, reload", nginx),
}
