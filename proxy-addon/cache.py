"""Downloads that never change come from a cache: archives of packages, by a table of addresses that their registries never write twice
(immutable.py). A hit has passed identity, policy and limits as any request, and is marked in its record. What needs credentials is never
kept, so nothing crosses from one project to another. Whatever goes wrong with a file, the request goes on without it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re

from mitmproxy import http

from facts import Facts, facts_of
from immutable import Immutable, is_what_it_says
from redact import SECRET_NAME
from shelf import Entry, Shelf, Writing

LONGEST = 64 << 20
"""Of a longer body a hit would take too much memory: mitmproxy hands on as a whole what an add-on answers."""

PATIENCE_S = 30.0
"""As long a request waits for the same one that is under way; then it goes itself."""

KEPT_HEADERS = ("content-type", "etag", "last-modified", "cache-control", "content-disposition")
ASKING = re.compile(r"cookie|range|if-(match|unmodified-since)", re.IGNORECASE)


class Cache:
    """After limits, before injection: what is put into a request later makes its answer no one else's."""

    def __init__(self, shelf: Shelf | None, immutable: Immutable) -> None:
        self._shelf = shelf
        self._immutable = immutable
        self._writing: dict[str, Writing] = {}
        self._under_way: dict[str, asyncio.Event] = {}
        self._leading: dict[str, str] = {}

    async def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Answers from the cache, or notes that the answer may be kept."""
        facts = facts_of(flow)
        if self._shelf is None or facts.decision != "allowed" or flow.response is not None or not self._may_be_kept(flow.request):
            return
        url = flow.request.url
        entry = await asyncio.to_thread(self._shelf.read, url)
        if entry is None and url in self._under_way:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_S):
                    await self._under_way[url].wait()
            entry = await asyncio.to_thread(self._shelf.read, url)
        if entry is not None:
            facts.cache = "hit"
            flow.response = _answer(flow.request, entry)
            return
        facts.cache = "miss"
        if url not in self._under_way:
            self._under_way[url] = asyncio.Event()
            self._leading[flow.id] = url

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        """Begins to write beside while it is passed on."""
        facts, response = facts_of(flow), flow.response
        if self._shelf is None or response is None or flow.id not in self._leading or not _is_whole(flow, facts):
            return
        headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
        self._writing[flow.id] = writing = self._shelf.write(flow.request.url, int(response.headers["content-length"]), headers)
        facts.tap = writing.add

    def response(self, flow: http.HTTPFlow) -> None:
        """Keeps what came to its end."""
        writing = self._writing.pop(flow.id, None)
        if writing is not None and flow.response is not None:
            if not flow.response.stream:
                writing.add(flow.response.raw_content or b"")
            if is_what_it_says(flow.request.path, writing.digests()):
                writing.keep()
            else:
                logging.warning("%s is not what its address says, and is not kept", flow.request.pretty_url)
                writing.drop()
        self._over(flow)

    def error(self, flow: http.HTTPFlow) -> None:
        """Lets go of what broke off."""
        writing = self._writing.pop(flow.id, None)
        if writing is not None:
            writing.drop()
        self._over(flow)

    def _over(self, flow: http.HTTPFlow) -> None:
        url = self._leading.pop(flow.id, None)
        if url is not None:
            self._under_way.pop(url).set()

    def _may_be_kept(self, request: http.Request) -> bool:
        return (
            request.method == "GET"
            and request.scheme == "https"
            and self._immutable.covers(request.host, request.port, request.path)
            and not any(SECRET_NAME.search(name) or ASKING.search(name) for name in request.headers)
        )


def _answer(request: http.Request, entry: Entry) -> http.Response:
    etag = entry.headers.get("etag")
    if etag is not None and request.headers.get("if-none-match") == etag:
        return http.Response.make(304, b"", entry.headers)
    return http.Response.make(200, entry.body, entry.headers)


def _is_whole(flow: http.HTTPFlow, facts: Facts) -> bool:
    """All of it, for whoever asks, from a server whose certificate was checked."""
    response = flow.response
    if response is None or response.status_code != 200 or facts.injected or not flow.server_conn.tls_established:
        return False
    headers = response.headers
    length = headers.get("content-length", "")
    control = headers.get("cache-control", "").lower()
    return (
        length.isdigit()
        and 0 < int(length) <= LONGEST
        and headers.get("content-encoding", "identity") == "identity"
        and not any(name in headers for name in ("set-cookie", "transfer-encoding", "content-range"))
        and not any(word in control for word in ("private", "no-store", "no-cache"))
        and headers.get("vary", "").strip() != "*"
    )
