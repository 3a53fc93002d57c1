"""Bodies go through as they come, in either direction, and are counted: an answer of a model is not held back, an upload of any size
takes no memory, a body that would grow when it is unpacked is never unpacked. Frames of WebSockets are counted and not kept."""

from __future__ import annotations

from collections.abc import Callable

from mitmproxy import http

from facts import Facts, facts_of
from needles import Body

SHORT = 16_384


class Streaming:
    """After enforcement: a request that was refused has an answer already and goes nowhere."""

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Counts what is sent."""
        if flow.response is None and flow.error is None and _has_body(flow.request):
            facts = facts_of(flow)
            flow.request.stream = _counted(facts, "bytes_out", facts.outgoing, None)

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        """Counts what comes back."""
        facts = facts_of(flow)
        if flow.response is None or facts.decision != "allowed" or facts.cache == "hit":
            return
        if facts.incoming is not None or not _is_short(flow.response):
            flow.response.stream = _counted(facts, "bytes_in", facts.incoming, facts.tap)

    def websocket_message(self, flow: http.HTTPFlow) -> None:
        """Counts a message and lets go of it."""
        assert flow.websocket is not None
        facts = facts_of(flow)
        message = flow.websocket.messages[-1]
        if message.from_client:
            facts.messages_out += 1
            facts.bytes_out += len(message.content)
        else:
            facts.messages_in += 1
            facts.bytes_in += len(message.content)
        del flow.websocket.messages[:-1]  # the last one is still to be sent


def _has_body(request: http.Request) -> bool:
    """By its headers, which over HTTP/1 alone say so; one without a body costs less where nobody waits for it."""
    return request.http_version == "HTTP/2.0" or "transfer-encoding" in request.headers or request.headers.get("content-length", "0") != "0"


def _is_short(response: http.Response) -> bool:
    """To hand it on as a whole is cheaper, and nobody waits for its parts."""
    length = response.headers.get("content-length", "")
    return length.isdigit() and int(length) <= SHORT


Tap = Callable[[bytes], None] | None


def _counted(facts: Facts, name: str, body: Body | None, tap: Tap) -> Callable[[bytes], bytes | list[bytes]]:
    """Counts what came, which `tap` gets as it is; `body` says what goes on."""

    def count(data: bytes) -> bytes | list[bytes]:
        setattr(facts, name, getattr(facts, name) + len(data))
        if tap is not None:
            tap(data)
        return data if body is None else body(data)

    return count
