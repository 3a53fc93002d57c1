"""When a request is over: it has been sent and answered, or has broken off. A server may answer while the request is still being sent, to
which mitmproxy says `response` and then nothing more than that its end was sent, or that the client is gone. Told to limits and logger."""

from __future__ import annotations

from collections.abc import Callable

from mitmproxy import connection, http


class Ending:
    """Tells once of each request that was answered, in the order of `tell`; of one that broke off after its answer, too."""

    def __init__(self, *tell: Callable[[http.HTTPFlow], None]) -> None:
        self._tell = tell
        self._sending: dict[str, dict[str, http.HTTPFlow]] = {}

    def response(self, flow: http.HTTPFlow) -> None:
        """A WebSocket goes on; a body that is still being sent, too."""
        if flow.websocket is not None:
            return
        if flow.request.timestamp_end is None:
            self._sending.setdefault(flow.client_conn.id, {})[flow.id] = flow
        else:
            self._over(flow)

    def request(self, flow: http.HTTPFlow) -> None:
        """The last of it was sent."""
        if self._sending.get(flow.client_conn.id, {}).pop(flow.id, None) is not None:
            self._over(flow)

    def websocket_end(self, flow: http.HTTPFlow) -> None:
        """Is over."""
        self._over(flow)

    def error(self, flow: http.HTTPFlow) -> None:
        """Is over."""
        self._over(flow)

    def client_disconnected(self, client: connection.Client) -> None:
        """Whatever it was sending is over."""
        for flow in self._sending.pop(client.id, {}).values():
            self._over(flow)

    def _over(self, flow: http.HTTPFlow) -> None:
        for tell in self._tell:
            tell(flow)
