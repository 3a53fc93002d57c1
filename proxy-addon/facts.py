"""What the add-ons know of a request, handed from one to the next in the flow. Identity fills in whose it is, enforcement what was
decided, streaming what it weighed; the logger writes it down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from mitmproxy import connection, http
from mitmproxy.proxy.mode_specs import TransparentMode

from needles import Body


@dataclass(frozen=True)
class Identity:
    """Whose traffic it is, as the orchestrator wrote it down. By the transparent listener it is a worker's, and of no run."""

    run: str | None
    task: int | None
    project: str | None
    kind: str | None
    worker: str | None


@dataclass
class Facts:
    """One request. Sizes are bytes of bodies as they were sent."""

    identity: Identity | None = None
    decision: str = "none"
    """`allowed`, `denied`, or `refused` where it did not come to a decision: no identity, no name, no room in the spool."""
    rule: str | None = None
    reason: str | None = None
    allowed_by: str | None = None
    """The narrowest rule that would have allowed it."""
    policy: str | None = None
    """The version of the policy that decided."""
    address: str | None = None
    bytes_out: int = 0
    bytes_in: int = 0
    messages_out: int = 0
    messages_in: int = 0
    injected: list[str] = field(default_factory=list)
    """Secrets that were put into its headers."""
    misused: str | None = None
    """The secret that was to go where no binding lets it go; empty for one that is not known."""
    hidden: bool = False
    """Its address holds a secret."""
    outgoing: Body | None = None
    incoming: Body | None = None
    """What the bodies go through."""
    mask: Callable[[bytes], bytes] | None = None
    limited: str | None = None
    """The limit that it was over: scope and kind."""
    cache: str | None = None
    """`hit` where it went nowhere, `miss` where it might have been kept; None for what is never kept."""
    tap: Callable[[bytes], None] | None = None
    """Gets the answer as it comes from outside."""
    opened: dict[str, object] | None = None
    own: bool = False
    """A question to the proxy itself; it leaves no record."""


def facts_of(flow: http.HTTPFlow) -> Facts:
    """The facts of a flow; they are made with the first question."""
    return cast(Facts, flow.metadata.setdefault("autocode", Facts()))


def listener_of(client: connection.Client) -> str:
    """By which of the two a client came."""
    return "transparent" if isinstance(client.proxy_mode, TransparentMode) else "explicit"
