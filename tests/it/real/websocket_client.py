"""Talks to websocket_server.py at the address that is given, and prints what came of it."""
import asyncio
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus


async def main():
    url = f"ws://{sys.argv[1]}"
    async with connect(url + "/chat?a=1", subprotocols=["chat.v1"], max_size=2**20) as socket:
        deflated = "permessage-deflate" in socket.response.headers.get("Sec-WebSocket-Extensions", "")
        print("open", socket.subprotocol, deflated)
        await socket.send("caf\u00e9")
        print("text", await socket.recv())
        await socket.send(b"\x00\xff" * 250_000)
        print("large", await socket.recv() == b"\x00\xff" * 250_000)
        await (await socket.ping())
        print("ping")
        await socket.send("leave")
        try:
            await socket.recv()
        except ConnectionClosed as closed:
            print("left", closed.rcvd.code, closed.rcvd.reason)
    try:
        await connect(url + "/none")
    except InvalidStatus as refused:
        print("refused", refused.response.status_code)


asyncio.run(main())
