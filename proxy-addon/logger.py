"""Writes down what leaves: a record `open` before a request is let out, one `close` with all that is known when it has ended. Both have
the id of the request, so that whoever reads or ships them twice has them once."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from mitmproxy import http, tls

from facts import Facts, facts_of, listener_of
from identity import refuse
from redact import REDACTED, shown_headers, shown_text, shown_url
from spool import Spool, SpoolFull
from turn_away import PLAIN, turn_away

Record = dict[str, object]


class AutocodeLogger:
    """The last to see a request before it goes."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Writes `open`; without room for it the request is refused."""
        facts = facts_of(flow)
        if facts.own:
            return
        facts.opened = opened(flow, facts)
        try:
            if facts.decision == "allowed":
                self._spool.begin({**facts.opened, "event": "open"})
        except SpoolFull as error:
            refuse(facts, f"the record of it cannot be kept: {error}")
            turn_away(flow, full())

    def http_connect_error(self, flow: http.HTTPFlow) -> None:
        """Writes down a tunnel that was not opened."""
        facts = facts_of(flow)
        facts.opened = opened(flow, facts)
        self.ended(flow)

    def tls_failed_client(self, data: tls.TlsData) -> None:
        """Writes down a client that does not trust the authority of this proxy, or breaks off."""
        server = data.context.server.address
        now = time.time()
        self._spool.end(
            {
                "event": "close",
                "id": data.conn.id,
                "at": stamp(now),
                "listener": listener_of(data.context.client),
                "client": _address(data.conn.peername),
                "host": data.conn.sni or (server[0] if server else None),
                "port": server[1] if server else None,
                "decision": "refused",
                "error": f"TLS with the client failed: {shown_text(str(data.conn.error))}",
            }
        )

    def done(self) -> None:
        """Brings all to the disk."""
        self._spool.close()

    def ended(self, flow: http.HTTPFlow) -> None:
        """Writes `close`; told by ending.py."""
        facts = facts_of(flow)
        if facts.own or facts.opened is None:
            return
        self._spool.end({**facts.opened, **closed(flow, facts)})
        facts.opened = None


def opened(flow: http.HTTPFlow, facts: Facts) -> Record:
    """What is known before it goes."""
    request, who = flow.request, facts.identity
    return {
        "id": flow.id,
        "at": stamp(request.timestamp_start),
        "run": who and who.run,
        "task": who and who.task,
        "project": who and who.project,
        "kind": who and who.kind,
        "worker": who and who.worker,
        "listener": listener_of(flow.client_conn),
        "client": _address(flow.client_conn.peername),
        "method": shown_text(request.method),
        "scheme": request.scheme or "https",
        "host": REDACTED if facts.hidden else shown_text(request.host),
        "port": request.port,
        "url": f"{request.scheme}://{REDACTED}" if facts.hidden else shown_url(_url(request)),
        "address": facts.address,
        "decision": facts.decision,
        "rule": facts.rule,
        "reason": facts.reason,
        "allowedBy": facts.allowed_by,
        "policy": facts.policy,
        "injected": facts.injected,
    }


def closed(flow: http.HTTPFlow, facts: Facts) -> Record:
    """What is known in the end."""
    response = flow.response
    started = flow.request.timestamp_start
    error = None if flow.error is None else shown_text(flow.error.msg)
    record: Record = {
        "event": "close",
        "decision": facts.decision,
        "rule": facts.rule,
        "reason": facts.reason,
        "misused": facts.misused,
        "limited": facts.limited,
        "cache": facts.cache,
        "status": None if response is None else response.status_code,
        "http": flow.request.http_version,
        "tls": flow.client_conn.tls_version,
        "upstreamTls": flow.server_conn.tls_version,
        "requestHeaders": shown_headers(flow.request.headers),
        "responseHeaders": None if response is None else shown_headers(response.headers),
        "bytesOut": facts.bytes_out,
        "bytesIn": facts.bytes_in + _whole(flow, facts),
        "durationMs": round(1000 * (time.time() - started), 1),
        "error": error,
    }
    if flow.websocket is not None:
        record["messagesOut"] = facts.messages_out
        record["messagesIn"] = facts.messages_in
        record["closeCode"] = flow.websocket.close_code
    return record


def stamp(seconds: float) -> str:
    """A time as the orchestrator writes times."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def full() -> http.Response:
    """The answer where there is no room for the record of a request."""
    return http.Response.make(
        507,
        "Egress refused: the record of this request cannot be kept, the spool for traffic is full.\n",
        PLAIN,
    )


def _whole(flow: http.HTTPFlow, facts: Facts) -> int:
    """The size of an answer that was not handed on in parts."""
    response = flow.response
    if response is None or response.stream or facts.decision != "allowed":
        return 0
    return len(response.raw_content or b"")


def _url(request: http.Request) -> str:
    return request.url if request.method != "CONNECT" else f"https://{request.host}:{request.port}/"


def _address(name: tuple[str, int] | tuple[str, int, int, int] | None) -> str | None:
    return None if name is None else name[0]
