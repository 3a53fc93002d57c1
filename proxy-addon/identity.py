"""Whose request it is, by Proxy-Authorization: the runner's relay adds `run:<token>`, the sandbox never has it. The orchestrator
keeps a file with the hashes of all tokens of live runs; a run that has ended is not in it any more."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import json
import time
from functools import lru_cache

from mitmproxy import connection, http

from facts import Facts, Identity, facts_of
from turn_away import PLAIN, turn_away
from watched_file import WatchedFile

OWN_HOST = "proxy.autocode.internal"
"""Asked for by the orchestrator, to see whether the proxy answers."""

PATIENCE_S = 2.0
"""A run may ask before the file with its identity has been written."""

POLL_S = 0.05


def read_identities(path: str) -> dict[str, Identity]:
    """From `{"<sha-256 of a token>": {"run": …, "task": …, "project": …, "kind": …, "worker": …}}`."""
    with open(path, encoding="utf-8") as file:
        return {hash_: Identity(**fields) for hash_, fields in json.load(file).items()}


def token_of(header: str) -> str | None:
    """The password of `Basic` credentials; None for what is none."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode("ascii").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return password if user == "run" and password else None


class IdentityCheck:
    """Refuses what has no identity with 407; a tunnel's counts for the requests in it, as long as the run lives."""

    def __init__(self, path: str) -> None:
        self._identities: WatchedFile[dict[str, Identity]] = WatchedFile(path, read_identities, {})
        self._tunnels: dict[str, str] = {}

    async def http_connect(self, flow: http.HTTPFlow) -> None:
        """A tunnel is opened for a known run alone; what is asked in it is decided request by request."""
        hash_ = hash_in(flow)
        if await self._who(hash_) is None:
            facts_of(flow).decision = "refused"
            flow.response = unknown()
            return
        self._tunnels[flow.client_conn.id] = hash_

    async def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Fills in `facts.identity`, unless it is known by the listener."""
        facts = facts_of(flow)
        if facts.identity is not None:
            return
        tunnel = self._tunnels.get(flow.client_conn.id)
        if tunnel is None and flow.request.host == OWN_HOST:
            facts.own = True
            flow.response = http.Response.make(204)
            return
        hash_ = hash_in(flow)
        facts.identity = await self._who(tunnel or hash_)
        if facts.identity is None:
            refuse(facts, "no run that lives has this identity")
            turn_away(flow, unknown())

    def client_disconnected(self, client: connection.Client) -> None:
        """Forgets a tunnel."""
        self._tunnels.pop(client.id, None)

    async def in_tunnel(self, client: connection.Client) -> Identity | None:
        """Whose tunnel a client has opened."""
        return await self._who(self._tunnels.get(client.id, ""))

    def lives(self, client: connection.Client) -> bool:
        """Whether the run still is whose tunnel it is."""
        return self._tunnels.get(client.id) in self._identities.value()

    async def _who(self, hash_: str) -> Identity | None:
        if hash_ == "":
            return None
        found = self._identities.value().get(hash_)
        if found is not None:
            return found
        until = time.monotonic() + PATIENCE_S
        while found is None and time.monotonic() < until:
            await asyncio.sleep(POLL_S)
            found = self._identities.value(fresh=True).get(hash_)
        return found


def hash_in(flow: http.HTTPFlow) -> str:
    """The hash of the token in the request's credentials, which are taken out of it; empty for none."""
    hash_ = _hash_of(flow.request.headers.pop("proxy-authorization", ""))
    flow.request.headers.pop("proxy-connection", None)
    return hash_


@lru_cache(maxsize=256)
def _hash_of(header: str) -> str:
    token = token_of(header)
    return "" if token is None else hashlib.sha256(token.encode()).hexdigest()


def refuse(facts: Facts, reason: str) -> None:
    """Notes that it did not come to a decision."""
    facts.decision = "refused"
    facts.reason = reason


def unknown() -> http.Response:
    """The answer to a request without an identity."""
    return http.Response.make(
        407,
        "Egress refused: no run that lives has this identity.\n",
        {**PLAIN, "proxy-authenticate": 'Basic realm="autocode"'},
    )
