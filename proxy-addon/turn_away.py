"""How a request is turned away, for whatever reason: used by identity, enforcement and the logger."""

from __future__ import annotations

from mitmproxy import http

SHORT_BODY = 1 << 20
"""mitmproxy reads a request to its end before the answer of an add-on goes out: what is longer is cut off instead."""

PLAIN = {"content-type": "text/plain; charset=utf-8", "cache-control": "no-store"}


def turn_away(flow: http.HTTPFlow, response: http.Response) -> None:
    """The request goes nowhere."""
    if _is_long(flow.request):
        flow.kill()  # type: ignore[no-untyped-call]
    else:
        flow.response = response


def _is_long(request: http.Request) -> bool:
    if "transfer-encoding" in request.headers:
        return True
    length = request.headers.get("content-length", "0")
    return not length.isdigit() or int(length) > SHORT_BODY
