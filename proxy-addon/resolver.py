"""Looks names up, for enforcement: what is looked up here is what is checked, and what is connected to. Answers are kept for seconds."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable

KEPT_S = 5.0
KEPT_NAMES = 1_000
LONGEST_S = 10.0

Lookup = Callable[[str], Awaitable[list[str]]]


class Resolver:
    """`addresses` answers with all of a name, those of IPv4 first; with none where the name is unknown."""

    def __init__(self, lookup: Lookup | None = None, kept_s: float = KEPT_S) -> None:
        self._lookup = lookup or system_lookup
        self._kept_s = kept_s
        self._kept: OrderedDict[str, tuple[float, list[str]]] = OrderedDict()

    async def addresses(self, host: str) -> list[str]:
        """Of a name or of an address, which is its own."""
        try:
            return [str(ipaddress.ip_address(host.strip("[]")))]
        except ValueError:
            pass
        until, found = self._kept.get(host, (0.0, []))
        if time.monotonic() < until:
            return found
        try:
            found = await asyncio.wait_for(self._lookup(host), LONGEST_S)
        except (OSError, UnicodeError, TimeoutError):
            found = []
        self._kept[host] = (time.monotonic() + self._kept_s, found)
        if len(self._kept) > KEPT_NAMES:
            self._kept.popitem(last=False)
        return found


async def system_lookup(host: str) -> list[str]:
    """As the system looks names up."""
    answers = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    found = dict.fromkeys(str(answer[4][0]) for answer in sorted(answers, key=lambda each: each[0] != socket.AF_INET))
    return list(found)
