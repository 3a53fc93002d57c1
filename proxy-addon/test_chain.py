"""The chain: who is asked, in which order, and what an add-on that fails costs."""

from __future__ import annotations

from mitmproxy import http
from mitmproxy.proxy.server_hooks import ServerConnectionHookData
from mitmproxy.test import tflow

from chain import Chain


class Noting:
    def __init__(self, seen: list[str], name: str) -> None:
        self._seen, self._name = seen, name

    def request(self, _flow: http.HTTPFlow) -> None:
        self._seen.append(self._name)


class Waiting(Noting):
    async def requestheaders(self, flow: http.HTTPFlow) -> None:
        self.request(flow)


class Failing:
    def request(self, _flow: http.HTTPFlow) -> None:
        raise ValueError("broken")

    async def requestheaders(self, _flow: http.HTTPFlow) -> None:
        raise ValueError("broken")

    def server_connect(self, _data: ServerConnectionHookData) -> None:
        raise ValueError("broken")


async def test_the_addons_are_asked_in_their_order_for_what_they_listen_to() -> None:
    seen: list[str] = []
    chain = Chain(Noting(seen, "a"), Waiting(seen, "b"))
    assert not hasattr(chain, "response")
    getattr(chain, "request")(tflow.tflow())  # noqa: B009
    assert seen == ["a", "b"]
    await getattr(chain, "requestheaders")(tflow.tflow())  # noqa: B009
    assert seen == ["a", "b", "b"]


async def test_a_request_that_an_addon_failed_at_goes_nowhere() -> None:
    for event in ("request", "requestheaders"):
        flow = tflow.tflow()
        flow.live = True
        asked = getattr(Chain(Failing()), event)(flow)
        if asked is not None:
            await asked
        assert flow.error is not None


def test_a_connection_that_an_addon_failed_at_is_not_opened() -> None:
    flow = tflow.tflow()
    data = ServerConnectionHookData(flow.server_conn, flow.client_conn)
    getattr(Chain(Failing()), "server_connect")(data)  # noqa: B009
    assert data.server.error is not None
