"""What is kept of headers and addresses in records: nothing that opens a door. Pure functions, used by the logger."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from mitmproxy import http

REDACTED = "[redacted]"

SHOWN = frozenset(
    [
        "accept",
        "accept-encoding",
        "accept-language",
        "accept-ranges",
        "age",
        "allow",
        "cache-control",
        "connection",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-length",
        "content-range",
        "content-type",
        "date",
        "etag",
        "expires",
        "host",
        "if-modified-since",
        "if-none-match",
        "last-modified",
        "range",
        "retry-after",
        "sec-websocket-protocol",
        "sec-websocket-version",
        "server",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "vary",
        "via",
    ]
)
"""Headers whose values are shown; of all others there is the name."""

KNOWN_TOKEN = re.compile(r"(?:gh[pousr]_|github_pat_|glpat-|sk-|xox[abeoprs]-|npm_|pypi-|ac_[a-z]+_|hvs\.|AKIA|ASIA|AIza|eyJ)[\w.\-]{8,}")
SECRET_NAME = re.compile(r"token|secret|passw|pwd|key|sig|auth|cred|session|code|jwt|sas", re.IGNORECASE)
LOOKS_RANDOM = re.compile(r"(?=[^\d]*\d)(?=.*[A-Za-z])[\w+/=.\-~]{20,}")
LONGEST = 2000


def shown_headers(headers: http.Headers) -> list[list[str]]:
    """Pairs of name and value, in their order."""
    return [_shown_header(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.fields]


def _shown_header(name: str, value: str) -> list[str]:
    return [name[:LONGEST], shown_text(value) if name.lower() in SHOWN else REDACTED]


def shown_text(text: str) -> str:
    """A text without the tokens whose form is known, of bounded length."""
    return KNOWN_TOKEN.sub(REDACTED, text)[:LONGEST]


def shown_url(url: str) -> str:
    """The address without credentials, tokens, and values of its query that are named like secrets or look random."""
    try:
        parts = urlsplit(url)
        query = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        return shown_text(url)
    pairs = "&".join(
        f"{quote(shown_text(name), safe='[]')}={_shown_value(name, value)}" if value else quote(shown_text(name)) for name, value in query
    )
    host = parts.netloc.rpartition("@")[2]
    return shown_text(urlunsplit((parts.scheme, host, parts.path, pairs, "")))


def _shown_value(name: str, value: str) -> str:
    if SECRET_NAME.search(name) or LOOKS_RANDOM.fullmatch(value):
        return REDACTED
    return quote(shown_text(value), safe="[]:/,")
