"""The egress policy: which requests may leave, by the file that the orchestrator writes.

Decides exactly as orchestrator/egress/policy/match.ts does, which cases/policy.json proves. Used by the add-ons beside
it; needs the standard library alone. The language is explained in docs/egress.md.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from canonical import Address, is_public, lenient, read_address, read_host, read_path, split_port

Reason = Literal[
    "rule",  # a rule allows it, or denies it
    "recording",  # no rule allows it, but its project is in record mode
    "no-rule",  # no rule allows it
    "private-address",  # a rule for the name would, but it leads to an address that is not public, or to an unknown one
    "names-differ",  # host, TLS server name and Host header name different things
    "malformed",  # it is not what a well-behaved client sends
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What wants to leave; texts as they came over the wire."""

    scheme: Literal["http", "https"]
    """What is spoken to the far side; of a CONNECT, https."""
    method: str
    """CONNECT asks whether anything may go to that host and port at all; what goes inside is asked about one by one."""
    host: str
    """Name or address that the client asks for (an IPv6 address with or without brackets)."""
    port: int
    path: str = "/"
    """With its query; of a CONNECT it does not matter."""
    address: str | None
    """Where the proxy will connect to: looked up by the proxy itself, never taken from the client."""
    sni: str | None
    """The TLS server name; None where there was none. Of a CONNECT it does not matter."""
    host_header: str | None
    """The Host header or :authority. Of a CONNECT it does not matter."""
    project: str | None
    run_kind: str | None


@dataclass(frozen=True, slots=True)
class Decision:
    decision: Literal["allow", "deny"]
    reason: Reason
    rule: str | None
    """The rule that decided, as `egress policy show` prints it."""


@dataclass(frozen=True, slots=True)
class Rule:
    text: str
    allows: bool
    methods: frozenset[str] | None
    ports: frozenset[tuple[str, int]] | None
    """Pairs of scheme and port; the scheme is empty where any will do. None: every port."""
    segments: tuple[str, ...]
    open_end: bool
    address: Address | None
    project: str | None
    run_kind: str | None


@dataclass(slots=True)
class Policy:
    """The rules by the host that they are for, in the order of the file."""

    version: str = ""
    recording: dict[str, float] = field(default_factory=dict)
    """Projects in record mode, and until when (seconds since 1970)."""
    named: dict[str, list[Rule]] = field(default_factory=dict)
    below: dict[str, list[Rule]] = field(default_factory=dict)
    """For `**.name`: one label and more before the name."""
    one_below: dict[str, list[Rule]] = field(default_factory=dict)
    """For `*.name`: one label before the name."""
    everywhere: list[Rule] = field(default_factory=list)
    addresses: dict[Address, list[Rule]] = field(default_factory=dict)


def load(path: str | Path) -> Policy:
    """Reads the file that the orchestrator wrote; OSError or ValueError where it cannot be read."""
    document = json.loads(Path(path).read_text(encoding="utf-8"))
    try:
        return compile_policy(document["version"], document["rules"], document["recording"])
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no egress policy: {error!r}") from error


def compile_policy(version: str, rules: list[str], recording: dict[str, float]) -> Policy:
    """A policy of rules in their canonical form."""
    policy = Policy(version=version, recording=recording)
    for text in rules:
        host, rule = _read_rule(text)
        if isinstance(host, str) and host == "**":
            policy.everywhere.append(rule)
        elif isinstance(host, str) and host.startswith("**."):
            policy.below.setdefault(host[3:], []).append(rule)
        elif isinstance(host, str) and host.startswith("*."):
            policy.one_below.setdefault(host[2:], []).append(rule)
        elif isinstance(host, str):
            policy.named.setdefault(host, []).append(rule)
        else:
            policy.addresses.setdefault(host, []).append(rule)
    return policy


def decide(policy: Policy, request: Request, now: float | None = None) -> Decision:
    """Whether the request may leave. A rule that denies goes before all that allow; without a rule nothing leaves."""
    host = read_host(request.host)
    tunnel = request.method == "CONNECT"
    path = [] if tunnel else read_path(request.path)
    if host is None or path is None or not _METHOD.fullmatch(request.method) or not 0 < request.port < 65536:
        return Decision("deny", "malformed", None)
    if not tunnel and not _same_names(host, request):
        return Decision("deny", "names-differ", None)
    target, public = read_target(host, request.address)
    bare = [] if tunnel else lenient(path)
    unreachable: Rule | None = None
    allowing: Rule | None = None
    for rule in _rules_for(policy, host):
        if rule.project is not None and rule.project != request.project:
            continue
        if rule.run_kind is not None and rule.run_kind != request.run_kind:
            continue
        if not _port_fits(rule, request, tunnel):
            continue
        if rule.allows:
            if allowing is not None or not (tunnel or _covers(rule, request.method, path)):
                continue
            if public if rule.address is None else target == rule.address:
                allowing = rule
            elif unreachable is None:
                unreachable = rule
        elif (rule.address is None or rule.address == target) and (
            _covers_all(rule) if tunnel else _covers(rule, request.method, bare)
        ):
            return Decision("deny", "rule", rule.text)
    if allowing is not None:
        return Decision("allow", "rule", allowing.text)
    if public and _records(policy, request.project, time.time() if now is None else now):
        return Decision("allow", "recording", None)
    if unreachable is not None:
        return Decision("deny", "private-address", unreachable.text)
    return Decision("deny", "no-rule", None)


DEFAULT_PORTS = {"http": 80, "https": 443}
_METHOD = re.compile(r"[A-Z][A-Z-]{0,31}")


def _read_rule(text: str) -> tuple[str | Address, Rule]:
    """A rule from its canonical form: words without spaces in them, `key=value` after the first."""
    action, *words = text.split(" ")
    values = dict(word.split("=", 1) for word in words)
    host, port = split_port(values["host"])
    where = host if host.startswith("*") else read_host(host)
    if where is None or action not in ("allow", "deny"):
        raise ValueError(f"no rule: {text}")
    address = values.get("address")
    pinned = where if not isinstance(where, str) else None if address is None else read_address(address)
    segments = values.get("path", "/**")[1:].split("/")
    open_end = segments[-1] == "**"
    if open_end:
        segments.pop()
    if action == "deny":
        segments = [segment.lower() for segment in segments if segment != ""]
    ports = None if action == "deny" else frozenset(DEFAULT_PORTS.items())
    if port is not None:
        ports = frozenset([("", port)])
    methods = values.get("method")
    return where, Rule(
        text=text,
        allows=action == "allow",
        methods=None if methods is None else frozenset(methods.split(",")),
        ports=ports,
        segments=tuple(segments),
        open_end=open_end,
        address=pinned,
        project=values.get("project"),
        run_kind=values.get("run-kind"),
    )


def _rules_for(policy: Policy, host: str | Address) -> Iterator[Rule]:
    """The rules whose host is, or covers, this one."""
    if not isinstance(host, str):
        yield from policy.addresses.get(host, ())
        return
    yield from policy.named.get(host, ())
    parent = host.partition(".")[2]
    yield from policy.one_below.get(parent, ())
    while parent != "":
        yield from policy.below.get(parent, ())
        parent = parent.partition(".")[2]
    yield from policy.everywhere


def _port_fits(rule: Rule, request: Request, tunnel: bool) -> bool:
    if rule.ports is None or ("", request.port) in rule.ports or (request.scheme, request.port) in rule.ports:
        return True
    return tunnel and ("http", request.port) in rule.ports


def _covers_all(rule: Rule) -> bool:
    """Whether all that could go through a tunnel would be covered."""
    return rule.methods is None and rule.open_end and not rule.segments


def _covers(rule: Rule, method: str, path: list[str]) -> bool:
    own = rule.segments
    if rule.methods is not None and method not in rule.methods:
        return False
    if len(path) < len(own) or (len(path) > len(own) and not rule.open_end):
        return False
    for wanted, segment in zip(own, path, strict=False):
        if wanted != segment and (wanted != "*" or segment == "" or segment.startswith(";")):
            return False
    return True


def _records(policy: Policy, project: str | None, now: float) -> bool:
    return project is not None and now < policy.recording.get(project, 0)


def _same_names(host: str | Address, request: Request) -> bool:
    """Whether all that names the far side names the same; who asks for an address sends no TLS server name."""
    if request.host_header is None:
        return False
    name, port = split_port(request.host_header)
    if read_host(name) != host or (port is not None and port != request.port):
        return False
    if request.scheme == "http":
        return request.sni is None
    if not isinstance(host, str):
        return request.sni is None
    return request.sni is not None and read_host(request.sni) == host


def read_target(host: str | Address, address: str | None) -> tuple[Address | None, bool]:
    """Where the connection will go, and whether that is public; who asks for an address must be led to that one."""
    target = None if address is None else read_address(address)
    if not isinstance(host, str):
        target = host if address is None or target == host else None
    return target, target is not None and is_public(target)
