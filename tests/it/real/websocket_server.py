"""A WebSocket server on a free port of 127.0.0.1, which it prints. It sends back what it gets; `leave`
makes it close with 4001."""
import asyncio

from websockets.asyncio.server import serve


async def talk(socket):
    async for message in socket:
        if message == "leave":
            return await socket.close(4001, "as asked")
        await socket.send(message)


async def main():
    async with serve(talk, "127.0.0.1", 0, subprotocols=["chat.v1"], max_size=2**20) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()


asyncio.run(main())
