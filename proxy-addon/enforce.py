"""Lets a request out only where the policy allows it, and only to the address that was checked. Every connection that the proxy opens
passes `server_connect`, where what was not allowed ends: raw TCP or DNS in a tunnel, or a name that leads elsewhere by now."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace

from mitmproxy import connection, http
from mitmproxy.proxy import server_hooks

import policy as rules
import refusal
from canonical import read_host
from facts import Identity, facts_of
from resolver import Resolver
from turn_away import turn_away
from watched_file import WatchedFile

Destination = tuple[str, int]

SOME_ADDRESS = "1.1.1.1"
"""A public one, to see whether any would do."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """What came of a name: where it may be reached, if `allowed`, and by which version of the policy."""

    allowed: bool
    request: rules.Request
    decision: rules.Decision
    policy: str


@dataclass(frozen=True, slots=True)
class Unseen:
    """A connection that nobody looks into: the question that was decided, and what decided it."""

    request: rules.Request
    address: str
    rule: str | None
    policy: str


class Enforcement:
    """`path` is the file with the policy. Where there is none yet, nothing is allowed."""

    def __init__(self, path: str, resolver: Resolver) -> None:
        self._policy = WatchedFile(path, rules.load, rules.Policy())
        self._resolver = resolver
        self._allowed: dict[str, dict[Destination, str]] = {}
        self._names: dict[str, Destination] = {}

    async def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Decides."""
        facts = facts_of(flow)
        if facts.own or facts.identity is None or flow.response is not None:
            return
        policy = self._policy.value()
        question = _question(flow, facts.identity)
        destination = (question.host, question.port)
        if _breaks_lines(flow.request):
            request, decision = question, rules.Decision("deny", "malformed", None)
        else:
            request, decision = await self._decide(policy, question)
        facts.policy, facts.rule, facts.reason = policy.version, decision.rule, decision.reason
        if decision.decision == "allow" and request.address is not None:
            facts.decision = "allowed"
            facts.address = request.address
            self._allowed.setdefault(flow.client_conn.id, {})[destination] = request.address
            return
        facts.decision = "denied"
        facts.allowed_by = refusal.suggestion(request, decision)
        turn_away(flow, answer(403, refusal.refusal(request, decision), flow.request.headers.get("accept", "")))

    async def lookup(self, name: str) -> Lookup:
        """Whether a name may be looked up by whoever is no run: where something may be asked for over http or https."""
        policy = self._policy.value()
        for port in (80, 443):
            question = rules.Request(
                scheme="https",
                method="CONNECT",
                host=name,
                port=port,
                address=None,
                sni=None,
                host_header=None,
                project=None,
                run_kind=None,
            )
            request, decision = await self._decide(policy, question)
            if decision.decision == "allow":
                break
        return Lookup(decision.decision == "allow", request, decision, policy.version)

    async def passes(self, client: connection.Client, target: Destination, sni: str | None, who: Identity) -> Unseen | None:
        """Whether TLS to this place goes through without being looked into; the way there is open then."""
        policy = self._policy.value()
        question = rules.Request(
            scheme="tls",
            method="CONNECT",
            host=target[0],
            port=target[1],
            address=None,
            sni=sni,
            host_header=None,
            project=who.project,
            run_kind=who.kind,
        )
        request, decision = await self._decide(policy, question)
        if decision.decision != "allow" or request.address is None:
            return None
        self._allowed.setdefault(client.id, {})[target] = request.address
        return Unseen(request, request.address, decision.rule, policy.version)

    def still_passes(self, unseen: Unseen) -> bool:
        """The same by the policy of now."""
        policy = self._policy.value()
        return policy.version == unseen.policy or rules.decide(policy, unseen.request).decision == "allow"

    def server_connect(self, data: server_hooks.ServerConnectionHookData) -> None:
        """Connects to the address that was checked, whatever the name says by now."""
        wanted = data.server.address
        found = None if wanted is None else self._allowed.get(data.client.id, {}).get((wanted[0], wanted[1]))
        if wanted is None or found is None:
            data.server.error = "not allowed by the egress policy"
            return
        data.server.address = (found, wanted[1])
        self._names[data.server.id] = (wanted[0], wanted[1])

    def server_connected(self, data: server_hooks.ServerConnectionHookData) -> None:
        """The connection goes by the name again, by which further requests to it find it."""
        self._rename(data.server)

    def server_connect_error(self, data: server_hooks.ServerConnectionHookData) -> None:
        """The same for one that failed."""
        self._rename(data.server)

    def client_disconnected(self, client: connection.Client) -> None:
        """Forgets what was allowed."""
        self._allowed.pop(client.id, None)

    def _rename(self, server: connection.Server) -> None:
        asked = self._names.pop(server.id, None)
        if asked is not None:
            object.__setattr__(server, "address", asked)  # mitmproxy guards the field of an open connection

    async def _decide(self, policy: rules.Policy, question: rules.Request) -> tuple[rules.Request, rules.Decision]:
        """A name that may not be reached wherever it leads is not even looked up: to ask for it would tell its server something."""
        if isinstance(read_host(question.host), str):
            guess = replace(question, address=SOME_ADDRESS)
            decision = rules.decide(policy, guess)
            if decision.decision != "allow" and decision.reason != "private-address":
                return guess, decision
        addresses = await self._resolver.addresses(question.host)
        request = replace(question, address=addresses[0] if addresses else None)
        return request, rules.decide(policy, request)


_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


def _breaks_lines(asked: http.Request) -> bool:
    """Whether a header has in it what a server might read as the end of a line, and so as another header or request."""
    return any(_CONTROL.search(name) or _CONTROL.search(value) for name, value in asked.headers.fields)


def _question(flow: http.HTTPFlow, identity: Identity) -> rules.Request:
    asked = flow.request
    return rules.Request(
        scheme="https" if asked.scheme == "https" else "http",
        method=asked.method,
        host=asked.host,
        port=asked.port,
        path=asked.path,
        address=None,
        sni=flow.client_conn.sni,
        host_header=_host_header(asked),
        project=identity.project,
        run_kind=identity.kind,
    )


def _host_header(asked: http.Request) -> str | None:
    """There may be more than one, of which a server might mind the other one: a request line with a host, or :authority beside Host. All of
    them, which are then no host."""
    names = (asked.authority, asked.host_header, asked.headers.get("host"))
    return ", ".join(dict.fromkeys(name for name in names if name)) or None


def answer(status: int, told: refusal.Refusal, accept: str) -> http.Response:
    """A refusal as the client reads it best."""
    if "json" in accept:
        body, kind = json.dumps(told.document) + "\n", "application/json"
    else:
        body, kind = told.text, "text/plain; charset=utf-8"
    return http.Response.make(status, body, {"content-type": kind, "cache-control": "no-store"})
