"""The line to the orchestrator, a unix socket: it says what is lent to whom, and is told of misuse. Values come by this way alone, so that
they are in no file, argument or variable. Used by main.py."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import struct

from leases import Leases

LONGEST_LINE = 64 << 20
_CREDENTIALS = struct.Struct("3i")


class SecretsLine:
    """Listens at `path`, for this user and root alone. Each line is a JSON document."""

    def __init__(self, path: str, leases: Leases) -> None:
        self._path = path
        self._leases = leases
        self._writers: set[asyncio.StreamWriter] = set()
        leases.on_report = self._tell

    async def listen(self) -> None:
        """From now on."""
        os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
        folder = os.open(os.path.dirname(self._path), os.O_RDONLY | os.O_DIRECTORY)
        near = f"/proc/self/fd/{folder}/{os.path.basename(self._path)}"  # the path of a socket may be 107 bytes long
        before = os.umask(0o177)
        try:
            await asyncio.start_unix_server(self._hear, near, limit=LONGEST_LINE)
        finally:
            os.umask(before)

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if not _is_own(writer):
                return
            self._writers.add(writer)
            self._tell()
            while line := await reader.readline():
                self._take(json.loads(line))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            logging.warning("what the orchestrator says of secrets cannot be read: %s", type(error).__name__)  # never what it said
        finally:
            self._writers.discard(writer)
            writer.close()

    def _take(self, document: dict[str, list[str]]) -> None:
        if "heard" not in document:
            self._leases.take(document)
        for id_ in document.get("heard", []):
            self._leases.reports.pop(id_, None)

    def _tell(self) -> None:
        """All that was not answered yet: one that is told twice has the same id."""
        if self._leases.reports:
            line = json.dumps({"misused": self._leases.reports}).encode() + b"\n"
            for writer in self._writers:
                writer.write(line)


def _is_own(writer: asyncio.StreamWriter) -> bool:
    peer: socket.socket = writer.get_extra_info("socket")
    _, user, _ = _CREDENTIALS.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    return user in (os.getuid(), 0)
