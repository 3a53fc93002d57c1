"""Puts secrets in the place of placeholders, in exactly the headers of exactly the requests that their bindings name; and lets neither a
placeholder nor a value go anywhere else. After enforcement: what may not leave gets nothing."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import re
from collections.abc import Awaitable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from mitmproxy import ctx, http

import policy as rules
from enforce import answer
from facts import Facts, facts_of
from leases import Lease, Leases
from needles import Found, finder_of, masked, watched
from refusal import Refusal
from turn_away import turn_away

PLACEHOLDER = re.compile(rb"acph_[A-Za-z0-9_-]{43}")
MARK = b"acph_"

PATIENCE_S = 2.0
"""A run may ask before the proxy has heard of what is lent to it."""


@dataclass(frozen=True, slots=True)
class Carried:
    """A placeholder in a header: which one, and whether as the password of this user."""

    index: int
    placeholder: str
    user: bytes | None


class Injection:
    """`leases` says what is lent to which run."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases

    def requestheaders(self, flow: http.HTTPFlow) -> Awaitable[None] | None:
        """Swaps, refuses, and has the body watched."""
        facts = facts_of(flow)
        if facts.own or facts.identity is None or facts.decision not in ("allowed", "denied"):
            return None
        carried = carried_in(flow.request.headers)
        known = self._leases.of(facts.identity.run)
        if any(each.placeholder not in known for each in carried):
            return self._later(flow, facts, carried)
        self._decide(flow, facts, carried)
        return None

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        """A server may send back what it was sent: stars instead."""
        mask = facts_of(flow).mask
        if mask is not None and flow.response is not None:
            flow.response.headers.fields = tuple((name, mask(value)) for name, value in flow.response.headers.fields)

    def websocket_message(self, flow: http.HTTPFlow) -> None:
        """Watches what is sent, and puts stars in what comes back."""
        assert flow.websocket is not None
        message, facts = flow.websocket.messages[-1], facts_of(flow)
        if not message.from_client:
            message.content = facts.mask(message.content) if facts.mask else message.content
        elif self._leases.finder is not None and (hit := self._leases.finder.find(message.content)) is not None:
            message.drop()  # type: ignore[no-untyped-call]
            self._misused(flow, facts, hit[2], "a message of a WebSocket")
            abort(flow)

    async def _later(self, flow: http.HTTPFlow, facts: Facts, carried: list[Carried]) -> None:
        assert facts.identity is not None
        run = facts.identity.run
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                while any(each.placeholder not in self._leases.of(run) for each in carried):
                    await self._leases.changed.wait()
        self._decide(flow, facts, carried)

    def _decide(self, flow: http.HTTPFlow, facts: Facts, carried: list[Carried]) -> None:
        assert facts.identity is not None
        request = flow.request
        fields = list(request.headers.fields)
        asked = question(flow, facts)
        known = self._leases.of(facts.identity.run)
        swapped: dict[int, bytes] = {}
        lent: list[Lease] = []
        for each in carried:
            lease = known.get(each.placeholder)
            name, content = fields[each.index]
            place = f"the header {name.decode('latin-1')}"
            if lease is None:
                return self._refused(flow, facts, Found("", "placeholder"), place)
            if facts.decision != "allowed" or not any(use.fits(asked) and fits(use.place, name, content, each) for use in lease.uses):
                return self._refused(flow, facts, Found(lease.secret, "placeholder"), place)
            value = lease.value()
            if value is None:
                return ended(flow, facts, lease)
            swapped[each.index] = swap(swapped.get(each.index, content), each, value)
            lent.append(lease)
        if self._is_watched(flow, facts, [field for index, field in enumerate(fields) if index not in swapped]):
            return
        if lent:
            request.headers.fields = tuple((name, swapped.get(index, content)) for index, (name, content) in enumerate(fields))
            request.headers["accept-encoding"] = "identity"  # what comes back is to be read
            facts.injected = sorted({lease.secret for lease in lent})
            finder = finder_of((value, Found(lease.secret, "value")) for lease in lent for value in lease.values)
            assert finder is not None
            facts.mask, facts.incoming = finder.mask, masked(finder)
        finder = self._leases.finder
        if finder is not None and flow.response is None:
            facts.outgoing = watched(finder, lambda found: self._cut_off(flow, facts, found))

    def _is_watched(self, flow: http.HTTPFlow, facts: Facts, fields: list[tuple[bytes, bytes]]) -> bool:
        """Whether a secret stands in the address or in a header, which is then refused."""
        finder, request = self._leases.finder, flow.request
        if finder is None:
            return False
        host, path = request.host.encode(), request.data.path
        address = b"\n".join([host, path, unquote_to_bytes(path)] if b"%" in path else [host, path])
        if (hit := finder.find(address)) is not None:
            facts.hidden = True
            self._refused(flow, facts, hit[2], "the address")
            return True
        for name, content in fields:
            if (hit := finder.find(content)) is not None or (hit := finder.find(name)) is not None:
                self._refused(flow, facts, hit[2], f"the header {name.decode('latin-1')}" if hit[1] not in name else "the name of a header")
                return True
        return False

    def _refused(self, flow: http.HTTPFlow, facts: Facts, found: Found, place: str) -> None:
        was_denied = facts.decision == "denied"
        self._misused(flow, facts, found, place)
        if not was_denied:
            turn_away(flow, answer(403, told(flow, facts), flow.request.headers.get("accept", "")))

    def _cut_off(self, flow: http.HTTPFlow, facts: Facts, found: Found) -> None:
        self._misused(flow, facts, found, "the body")
        abort(flow)

    def _misused(self, flow: http.HTTPFlow, facts: Facts, found: Found, place: str) -> None:
        what = "a placeholder that is not lent to this run" if found.secret == "" else f"the {found.kind} of the secret {found.secret}"
        if facts.decision != "denied":
            facts.reason = f"{what} stands in {place}, where no binding lets it go"
            facts.rule = None
        facts.decision, facts.misused = "denied", found.secret
        if facts.hidden:
            facts.allowed_by = None
        assert facts.identity is not None
        self._leases.report(
            flow.id,
            {
                "run": facts.identity.run,
                "worker": facts.identity.worker,
                "secret": found.secret,
                "kind": found.kind,
                "place": place[:200],
                "method": flow.request.method[:40],
                "host": "[redacted]" if facts.hidden else flow.request.host[:255],
            },
        )


def question(flow: http.HTTPFlow, facts: Facts) -> rules.Request:
    """The request as a binding's rule is asked; that all its names are the same was decided before."""
    asked, who = flow.request, facts.identity
    return rules.Request(
        scheme="https" if asked.scheme == "https" else "http",
        method=asked.method,
        host=asked.host,
        port=asked.port,
        path=asked.path,
        address=facts.address,
        sni=flow.client_conn.sni,
        host_header=asked.host,
        project=who.project if who else None,
        run_kind=who.kind if who else None,
    )


def carried_in(headers: http.Headers) -> list[Carried]:
    """The placeholders in all headers, as they stand and as passwords."""
    found: list[Carried] = []
    for index, (_, content) in enumerate(headers.fields):
        if MARK in content:
            found += [Carried(index, each.decode(), None) for each in PLACEHOLDER.findall(content)]
        elif content[:6].lower() == b"basic " and (credentials := credentials_in(content)) is not None:
            user, password = credentials
            if PLACEHOLDER.fullmatch(password):
                found.append(Carried(index, password.decode(), user))
    return found


def credentials_in(content: bytes) -> tuple[bytes, bytes] | None:
    """User and password of `Basic` credentials."""
    try:
        user, _, password = base64.b64decode(content[6:].strip(), validate=True).partition(b":")
    except binascii.Error:
        return None
    return user, password


def fits(place: str, name: bytes, content: bytes, carried: Carried) -> bool:
    """Whether a placeholder is where its binding puts the secret."""
    kind, _, wanted = place.partition(":")
    if kind == "header":
        return carried.user is None and name.lower() == wanted.lower().encode()
    if name.lower() != b"authorization":
        return False
    if kind == "bearer":
        scheme, _, token = content.partition(b" ")
        return scheme.lower() == b"bearer" and token == carried.placeholder.encode()
    return kind == "basic" and carried.user is not None and wanted in ("", carried.user.decode("latin-1"))


def swap(content: bytes, carried: Carried, value: str) -> bytes:
    """The header with the secret in it."""
    if carried.user is not None:
        return b"Basic " + base64.b64encode(carried.user + b":" + value.encode())
    return content.replace(carried.placeholder.encode(), value.encode())


def told(flow: http.HTTPFlow, facts: Facts) -> Refusal:
    """What the client gets to read of a misuse; it names no value."""
    message = f"{flow.request.method} {flow.request.host} was refused: {facts.reason}."
    remedy = "Send the placeholder as its binding says, and nowhere else: `autocode secret bindings`."
    return _refusal("ERR_EGRESS_DENIED", message, remedy, {"reason": "secret-misused", "secret": facts.misused})


def ended(flow: http.HTTPFlow, facts: Facts, lease: Lease) -> None:
    """There is nothing to put in the place of a placeholder."""
    facts.decision = "refused"
    facts.reason = f"the secret {lease.secret} is not lent to this run now: {lease.trouble or 'its lease has ended'}"
    remedy = "It is lent again when it can be read; see `autocode status` and `autocode secret leases`."
    refusal = _refusal("ERR_SECRET", f"The request was refused: {facts.reason}.", remedy, {"secret": lease.secret})
    turn_away(flow, answer(503, refusal, flow.request.headers.get("accept", "")))


def _refusal(code: str, message: str, remedy: str, details: dict[str, object]) -> Refusal:
    return Refusal(f"{message}\n{remedy}\n", {"error": {"code": code, "message": message, "remedy": remedy, "details": details}})


def abort(flow: http.HTTPFlow) -> None:
    """Cuts off a request that is on its way: nothing more of it is sent, not even its end. mitmproxy has no call for that."""
    for handler in ctx.master.addons.get("proxyserver").connections.values():  # type: ignore[no-untyped-call]
        if handler.client.id == flow.client_conn.id and (far := handler.transports.get(flow.server_conn)) is not None:
            far.writer.transport.abort()
