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

    scheme: Literal["http", "https", "tls"]
    """What is spoken to the far side; of a CONNECT, https. `tls` asks whether TLS may go through without being looked into."""
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
    methods: frozenset[str] | None
    ports: frozenset[tuple[str, int]] | None
    """Pairs of scheme and port; the scheme is empty where any will do. None: every port."""
    address: Address | None
    project: str | None
    run_kind: str | None


@dataclass(slots=True)
class Paths:
    """The rules of a host by their paths: what ends here, what goes on with anything, and what goes on by a segment."""

    ending: list[Rule] = field(default_factory=list)
    open: list[Rule] = field(default_factory=list)
    below: dict[str, Paths] = field(default_factory=dict)


Hosts = dict[str | Address, Paths]


@dataclass(slots=True)
class Policy:
    """The rules by the hosts that they are for: names, addresses, and names with stars in front as they are written."""

    version: str = ""
    recording: dict[str, float] = field(default_factory=dict)
    """Projects in record mode, and until when (seconds since 1970)."""
    allowing: Hosts = field(default_factory=dict)
    denying: Hosts = field(default_factory=dict)
    passing: Hosts = field(default_factory=dict)


def load(path: str | Path) -> Policy:
    """Reads the file that the orchestrator wrote; OSError or ValueError where it cannot be read."""
    text = Path(path).read_text(encoding="utf-8")
    try:
        document = json.loads(text)
        return compile_policy(document["version"], document["rules"], document["recording"])
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is no egress policy: {error!r}") from error


def compile_policy(version: str, rules: list[str], recording: dict[str, float]) -> Policy:
    """A policy of rules in their canonical form."""
    policy = Policy(version=version, recording=recording)
    for text in rules:
        _add_rule(policy, text)
    return policy


def decide(policy: Policy, request: Request, now: float | None = None) -> Decision:
    """Whether the request may leave. A rule that denies goes before all that allow; without a rule nothing leaves."""
    host = read_host(request.host)
    unseen = request.scheme == "tls"
    tunnel = unseen or request.method == "CONNECT"
    path = [] if tunnel else read_path(request.path)
    if host is None or path is None or not _METHOD.fullmatch(request.method) or not 0 < request.port < 65536:
        return Decision("deny", "malformed", None)
    if (unseen or not tunnel) and not _same_names(host, request):
        return Decision("deny", "names-differ", None)
    target, public = read_target(host, request.address)
    for paths in _paths_for(policy.denying, host):
        for rule in _all(paths) if unseen else _whole(paths) if tunnel else _along(paths, lenient(path)):
            if _applies(rule, request, tunnel) and (rule.address is None or rule.address == target):
                return Decision("deny", "rule", rule.text)
    unreachable: Rule | None = None
    for paths in _letting(policy, host, tunnel, unseen):
        for rule in _all(paths) if tunnel else _along(paths, path):
            if not _applies(rule, request, tunnel):
                continue
            if public if rule.address is None else target == rule.address:
                return Decision("allow", "rule", rule.text)
            unreachable = unreachable or rule
    if public and not unseen and _records(policy, request.project, time.time() if now is None else now):
        return Decision("allow", "recording", None)
    if unreachable is not None:
        return Decision("deny", "private-address", unreachable.text)
    return Decision("deny", "no-rule", None)


DEFAULT_PORTS = {"http": 80, "https": 443, "tls": 443}
_TLS_PORTS = [("https", 443), ("tls", 443)]
_METHOD = re.compile(r"[A-Z][A-Z-]{0,31}")


def _add_rule(policy: Policy, text: str) -> None:
    """Adds a rule from its canonical form: words without spaces in them, `key=value` after the first."""
    action, *words = text.split(" ")
    values = dict(word.split("=", 1) for word in words)
    host, port = split_port(values["host"])
    where = host if host.startswith("*") else read_host(host)
    if where is None or action not in ("allow", "deny", "pass"):
        raise ValueError(f"no rule: {text}")
    address = values.get("address")
    pinned = where if not isinstance(where, str) else None if address is None else read_address(address)
    ports = None if action == "deny" else frozenset(_TLS_PORTS if action == "pass" else DEFAULT_PORTS.items())
    if port is not None:
        ports = frozenset([("", port)])
    methods = values.get("method")
    rule = Rule(
        text=text,
        methods=None if methods is None else frozenset(methods.split(",")),
        ports=ports,
        address=pinned,
        project=values.get("project"),
        run_kind=values.get("run-kind"),
    )
    segments = values.get("path", "/**")[1:].split("/")
    open_end = segments[-1] == "**"
    if open_end:
        segments.pop()
    hosts = {"allow": policy.allowing, "deny": policy.denying, "pass": policy.passing}[action]
    paths = hosts.setdefault(where, Paths())
    for segment in lenient(segments) if action == "deny" else segments:
        paths = paths.below.setdefault(segment, Paths())
    (paths.open if open_end else paths.ending).append(rule)


def _letting(policy: Policy, host: str | Address, tunnel: bool, unseen: bool) -> Iterator[Paths]:
    """The rules that may let it out."""
    if not unseen:
        yield from _paths_for(policy.allowing, host)
    if tunnel:
        yield from _paths_for(policy.passing, host)


def _paths_for(hosts: Hosts, host: str | Address) -> Iterator[Paths]:
    """Of the host itself, and of all that cover it."""
    names: list[str | Address] = [host]
    if isinstance(host, str):
        parent = host.partition(".")[2]
        names.append(f"*.{parent}")
        while parent != "":
            names.append(f"**.{parent}")
            parent = parent.partition(".")[2]
        names.append("**")
    for name in names:
        if name in hosts:
            yield hosts[name]


def _along(paths: Paths, path: list[str], index: int = 0) -> Iterator[Rule]:
    """The rules that cover a path."""
    yield from paths.open
    if index == len(path):
        yield from paths.ending
        return
    segment = path[index]
    if segment in paths.below:
        yield from _along(paths.below[segment], path, index + 1)
    if "*" in paths.below and segment != "" and not segment.startswith(";"):
        yield from _along(paths.below["*"], path, index + 1)


def _whole(paths: Paths) -> Iterator[Rule]:
    """The rules that cover whatever goes through a tunnel."""
    return (rule for rule in paths.open if rule.methods is None)


def _all(paths: Paths) -> Iterator[Rule]:
    """The rules that cover something of what goes through a tunnel."""
    yield from paths.open
    yield from paths.ending
    for below in paths.below.values():
        yield from _all(below)


def _applies(rule: Rule, request: Request, tunnel: bool) -> bool:
    """Whether the rule is for this method, port, project and kind of run."""
    port = request.port
    return (
        (tunnel or rule.methods is None or request.method in rule.methods)
        and (rule.project is None or rule.project == request.project)
        and (rule.run_kind is None or rule.run_kind == request.run_kind)
        and (
            rule.ports is None
            or (request.scheme, port) in rule.ports
            or ("", port) in rule.ports
            or (tunnel and ("http", port) in rule.ports)
        )
    )


def _records(policy: Policy, project: str | None, now: float) -> bool:
    return project is not None and now < policy.recording.get(project, 0)


def _same_names(host: str | Address, request: Request) -> bool:
    """Whether all that names the far side names the same; who asks for an address sends no TLS server name."""
    if request.scheme != "tls":
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
