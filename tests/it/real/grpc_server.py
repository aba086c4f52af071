"""A gRPC server of raw bytes on a free port of 127.0.0.1, which it prints."""
import time
from concurrent.futures import ThreadPoolExecutor

import grpc


def unary(request, context):
    context.send_initial_metadata((("x-first", "1"),))
    context.set_trailing_metadata((("x-last", "yes"), ("x-raw-bin", b"\x00\xff")))
    return request[::-1]


def refuse(_, context):
    context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not like this: \u732b")


def slow(request, _):
    time.sleep(5)
    return request


def count(request, _):
    for number in range(int(request)):
        yield b"%d" % number


def gather(requests, _):
    return b",".join(requests)


def echo(requests, _):
    for request in requests:
        yield request.upper()


methods = {
    "Unary": grpc.unary_unary_rpc_method_handler(unary),
    "Refuse": grpc.unary_unary_rpc_method_handler(refuse),
    "Slow": grpc.unary_unary_rpc_method_handler(slow),
    "Count": grpc.unary_stream_rpc_method_handler(count),
    "Gather": grpc.stream_unary_rpc_method_handler(gather),
    "Echo": grpc.stream_stream_rpc_method_handler(echo),
}
server = grpc.server(ThreadPoolExecutor(8))
handler = grpc.method_handlers_generic_handler("test.Words", methods)
server.add_generic_rpc_handlers((handler,))
port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(port, flush=True)
server.wait_for_termination()
