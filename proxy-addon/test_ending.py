"""When a request is over."""

from __future__ import annotations

from mitmproxy.test import tflow

from ending import Ending


def test_a_request_that_was_sent_and_answered_is_over_once_and_in_order() -> None:
    told: list[str] = []
    ending = Ending(lambda flow: told.append(f"a {flow.id}"), lambda flow: told.append(f"b {flow.id}"))
    flow = tflow.tflow(resp=True)
    ending.request(flow)
    assert told == []
    ending.response(flow)
    assert told == [f"a {flow.id}", f"b {flow.id}"]


def test_one_that_is_answered_while_it_is_sent_is_over_when_it_was_sent_or_its_client_is_gone() -> None:
    told: list[str] = []
    ending = Ending(lambda flow: told.append(flow.id))
    first, second = tflow.tflow(resp=True), tflow.tflow(resp=True)
    for flow in (first, second):
        flow.request.timestamp_end = None
        ending.response(flow)
    assert told == []
    ending.request(first)
    assert told == [first.id]
    ending.client_disconnected(first.client_conn)
    ending.client_disconnected(second.client_conn)
    assert told == [first.id, second.id]
    ending.client_disconnected(second.client_conn)
    assert told == [first.id, second.id]


def test_a_websocket_is_over_with_its_end() -> None:
    told: list[str] = []
    ending = Ending(lambda flow: told.append(flow.id))
    flow = tflow.twebsocketflow()
    ending.response(flow)
    assert told == []
    ending.websocket_end(flow)
    assert told == [flow.id]
