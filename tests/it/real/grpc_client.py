"""Calls every method of grpc_server.py at the address that is given, and prints what came of it."""
import queue
import sys

import grpc

channel = grpc.insecure_channel(sys.argv[1], options=(("grpc.default_authority", "a"),))


def path(name):
    return "/test.Words/" + name


response, call = channel.unary_unary(path("Unary")).with_call(b"abc", timeout=20)
first = dict(call.initial_metadata()).get("x-first")
last = dict(call.trailing_metadata())
print("unary", response, first, last.get("x-last"), last.get("x-raw-bin"))

large = b"x" * 1_000_000
print("large", channel.unary_unary(path("Unary"))(large, timeout=20) == large)

try:
    channel.unary_unary(path("Refuse"))(b"", timeout=20)
except grpc.RpcError as error:
    print("refuse", error.code().name, error.details())

try:
    channel.unary_unary(path("Slow"))(b"", timeout=0.2)
except grpc.RpcError as error:
    print("slow", error.code().name)

print("count", list(channel.unary_stream(path("Count"))(b"4", timeout=20)))
print("gather", channel.stream_unary(path("Gather"))(iter([b"a", b"b", b"c"]), timeout=20))

answers = []
calls = channel.stream_stream(path("Echo"))
print("echo", list(calls(iter([b"a", b"b"]), timeout=20)))

words = queue.Queue()
replies = calls(iter(words.get, None), timeout=20)
for word in (b"one", b"two", b"three"):
    words.put(word)
    answers.append(next(replies))
words.put(None)
print("turns", answers, list(replies))

try:
    channel.unary_unary(path("Nothing"))(b"", timeout=20)
except grpc.RpcError as error:
    print("nothing", error.code().name)
