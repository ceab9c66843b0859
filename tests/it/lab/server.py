"""A server of the lab on Python websockets: server.py KIND PORT [WORD...]."""

import asyncio
import http
import sys

from websockets.asyncio.server import serve

kind, port, *words = sys.argv[1:]


async def echo(socket):
    async for message in socket:
        await socket.send(message)


async def fails(socket):
    raise RuntimeError("a fault in the application")


async def closes(socket):
    await socket.close(int(words[0]), " ".join(words[1:]))


def refuses(connection, request):
    return connection.respond(http.HTTPStatus(int(words[0])), "refused by the lab\n")


OPTIONS = {
    "echo": {"handler": echo},
    "fails": {"handler": fails},
    "closes": {"handler": closes},
    "refuses": {"handler": echo, "process_request": refuses},
    "origin": {"handler": echo, "origins": [None, *words]},
    "subprotocol": {"handler": echo, "subprotocols": words},
}


async def main():
    options = dict(OPTIONS[kind])
    async with serve(options.pop("handler"), "127.0.0.1", int(port), **options) as server:
        await server.serve_forever()


asyncio.run(main())
