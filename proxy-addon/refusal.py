"""What a refused client is told: why, and the rule and command that would allow it. Used by the add-ons beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from canonical import bracketed, read_host, read_path
from policy import DEFAULT_PORTS, Decision, Request, read_target


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a refused client gets: a text, and the same as a document."""

    text: str
    document: dict[str, object]


def suggestion(request: Request, decision: Decision) -> str | None:
    """The narrowest rule that would allow a refused request; None where none would."""
    if request.scheme == "tls" or decision.reason not in ("no-rule", "private-address"):
        return None
    host = read_host(request.host)
    path = None if request.method == "CONNECT" else read_path(request.path)
    if host is None:
        return None
    target, public = read_target(host, request.address)
    if target is None:
        return None
    words = ["allow"]
    if request.method in ("GET", "HEAD"):
        words.append("method=GET,HEAD")
    elif request.method != "CONNECT":
        words.append(f"method={request.method}")
    port = "" if DEFAULT_PORTS[request.scheme] == request.port else f":{request.port}"
    words.append(f"host={bracketed(host) if port else host}{port}")
    if isinstance(host, str) and not public:
        words.append(f"address={target}")
    if path is not None:
        words.append(f"path={_pattern_of(path)}")
    return " ".join(word for word in words if word != "path=/**")


def refusal(request: Request, decision: Decision) -> Refusal:
    """What the client is told: what was refused, why, and what would allow it."""
    what = f"{request.method} {request.scheme}://{bracketed(request.host)}:{request.port}"
    if request.method != "CONNECT":
        what += request.path.split("?", 1)[0]
    what = _printable(what)
    rule = suggestion(request, decision)
    command = None if rule is None else f"autocode egress policy allow '{rule.removeprefix('allow ')}'"
    if command is not None and request.project is not None:
        command += f" --project {request.project}"
    remedy = _REMEDIES[decision.reason] if command is None else f"A person may allow it: {command}"
    why = _WHY[decision.reason].format(rule=decision.rule, address=_printable(request.address or "none"))
    error = {
        "code": "ERR_EGRESS_DENIED",
        "message": f"{what} was refused: {why}.",
        "remedy": remedy,
        "details": {
            "method": _printable(request.method),
            "host": _printable(request.host),
            "port": request.port,
            "path": _printable(request.path.split("?", 1)[0]),
            "reason": decision.reason,
            "rule": decision.rule,
            "allowedBy": rule,
            "command": command,
        },
    }
    return Refusal(f"{error['message']}\n{remedy}\n", {"error": error})


_WHY = {
    "rule": "the rule `{rule}` denies it",
    "no-rule": "no rule of the egress policy allows it",
    "private-address": "`{rule}` would allow it, but its address ({address}) is not public",
    "names-differ": "its host, TLS server name and Host header are not the same",
    "malformed": "its host, port, method, path or a header is malformed",
}
_REMEDIES = {
    "rule": "See `autocode egress policy show --effective`; a rule that denies goes before all that allow.",
    "no-rule": "See `autocode egress policy show --effective`.",
    "private-address": "See whether the name can be looked up, and where it leads.",
    "names-differ": "Ask for a host under its own name.",
    "malformed": "Send a plain name or address, a method in capitals, a path without dot segments or backslashes, and headers of one line.",
}


_LONGEST_PATTERN = 500


def _pattern_of(path: list[str]) -> str:
    """The pattern for one path; from where a pattern cannot say it, or it gets too long, all that follows."""
    pattern = ""
    for index, segment in enumerate(path):
        last = index == len(path) - 1
        if ";" in segment or (segment == "" and not last) or len(pattern) + len(segment) > _LONGEST_PATTERN:
            return f"{pattern}/**"
        pattern += f"/{segment}"
    return pattern


def _printable(text: str) -> str:
    """Nothing of what a client sent may break a line or a terminal."""
    return re.sub(r"[^\x20-\x7e]", "?", text)[:2_000]
