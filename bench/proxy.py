"""A proxy that adds latency to every AWS call and, once warmed, can answer by itself with recorded bytes.

``python bench/proxy.py --upstream http://127.0.0.1:5000 --delay-ms 40 [--replay]`` prints ``ready URL`` and ends
when standard input closes. With ``--replay`` a request that was answered before is answered with the same bytes
without asking upstream, so that the emulator is no limit; ``GET /_proxy/stats`` tells how many were not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import subprocess
import sys
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import urlsplit

import kit

_SCOPE = re.compile(rb"Credential=[^/]+/[0-9]+/([^/]+/[^/]+)/")
_ACTION = b"x-amz-target"
LONGEST_HEAD = 2**20
Key = tuple[bytes, bytes, bytes, bytes]


class Message(NamedTuple):
    """A request or an answer: the first line, the head as it came (with the empty line), fields, body."""

    start: bytes
    head: bytes
    fields: dict[bytes, bytes]
    body: bytes

    @property
    def raw(self) -> bytes:
        return self.head + self.body


async def read_message(reader: asyncio.StreamReader, *, bodiless: bool = False) -> Message | None:
    """The next message of a connection; None at its end."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    start, *lines = head[:-4].split(b"\r\n")
    fields = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)
    }
    length = 0 if bodiless else int(fields.get(b"content-length", b"0"))
    return Message(start, head, fields, await reader.readexactly(length) if length else b"")


class Proxy:
    """Serves connections; keeps what upstream answered, by what was asked of which service and region."""

    def __init__(self, upstream: str, *, delay: float, replay: bool) -> None:
        parts = urlsplit(upstream)
        self._place = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._delay, self._replay = delay, replay
        self._kept: dict[Key, bytes] = {}
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.stats = {"requests": 0, "asked_upstream": 0}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await read_message(reader)) is not None:
                writer.write(await self._answer(request))
                await writer.drain()
        finally:
            # Also where upstream failed: who waits for an answer must not wait for its time limit.
            writer.close()

    async def _answer(self, request: Message) -> bytes:
        if b" /_proxy/stats " in request.start:
            body = json.dumps(self.stats).encode()
            return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        self.stats["requests"] += 1
        await asyncio.sleep(self._delay)
        key = _key(request)
        kept = self._kept.get(key) if self._replay and not _is_polled(request) else None
        if kept is not None:
            return kept
        self.stats["asked_upstream"] += 1
        answer = await self._ask(request)
        if self._replay:
            self._kept[key] = answer
        return answer

    async def _ask(self, request: Message) -> bytes:
        """Upstream's answer, over a connection of its own where a kept one was closed meanwhile."""
        kept = [self._idle.pop()] if self._idle else []
        for connection in (*kept, None):
            reader, writer = connection or await asyncio.open_connection(*self._place, limit=LONGEST_HEAD)
            writer.write(request.raw)
            answer = await read_message(reader, bodiless=request.start.startswith(b"HEAD"))
            if answer is not None:
                self._idle.append((reader, writer))
                return answer.raw
            writer.close()
        raise ConnectionResetError("upstream closed the connection")


def _is_polled(request: Message) -> bool:
    """Whether the same question gets another answer later: the credential report is being made, then it is there."""
    return b"Action=GenerateCredentialReport" in request.body


def _key(request: Message) -> Key:
    scope = _SCOPE.search(request.fields.get(b"authorization", b""))
    return request.start, scope[1] if scope else b"", request.fields.get(_ACTION, b""), request.body


class DelayProxy:
    """The proxy as a process of its own, within a ``with``; ``url`` is its address."""

    url: str

    def __init__(self, upstream: str, *, delay_ms: int, replay: bool = False) -> None:
        self._arguments = [
            "--upstream",
            upstream,
            "--delay-ms",
            str(delay_ms),
            *(["--replay"] if replay else []),
        ]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [kit.PYTHON, __file__, *self._arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().split()[1]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()


async def _run(arguments: argparse.Namespace) -> None:
    proxy = Proxy(arguments.upstream, delay=arguments.delay_ms / 1000, replay=arguments.replay)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", arguments.port, limit=LONGEST_HEAD)
    print(f"ready http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--upstream", required=True)
    parser.add_argument("--delay-ms", type=int, default=40)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument(
        "--replay", action="store_true", help="answer what was asked before with recorded bytes"
    )
    asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
