"""Limits, on a clock that a test holds in its hand."""

from __future__ import annotations

import json

from mitmproxy import http
from mitmproxy.test import tflow

from facts import Facts, Identity, facts_of
from limits import Limits

WHO = Identity(run="12-1", task=12, project="shop", kind="change", worker="w1")
OTHER = Identity(run="13-1", task=13, project="shop", kind="change", worker="w1")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def ask(limits: Limits, who: Identity = WHO, host: str = "a.example") -> tuple[http.HTTPFlow, Facts]:
    flow = tflow.tflow(req=http.Request.make("GET", f"http://{host}/"))
    facts = facts_of(flow)
    facts.identity, facts.decision = who, "allowed"
    limits.requestheaders(flow)
    return flow, facts


def limits_of(clock: Clock, **scopes: dict[str, float]) -> Limits:
    return Limits(json.dumps(scopes), clock)


def test_without_limits_nothing_is_counted() -> None:
    limits = Limits("")
    assert all(ask(limits)[0].response is None for _ in range(100))


def test_requests_over_the_rate_are_told_when_to_come_again() -> None:
    clock = Clock()
    limits = limits_of(clock, run={"requestsPerSecond": 0.5})
    assert ask(limits)[0].response is None
    flow, facts = ask(limits)
    assert flow.response is not None
    assert (flow.response.status_code, flow.response.headers["retry-after"]) == (429, "2")
    assert "requests a second of the run" in (flow.response.text or "")
    assert (facts.decision, facts.limited) == ("refused", "run requestsPerSecond")
    assert ask(limits, OTHER)[0].response is None
    clock.now += 2
    assert ask(limits)[0].response is None
    assert ask(limits)[0].response is not None


def test_a_rate_lets_its_requests_of_one_second_through_at_once() -> None:
    limits = limits_of(Clock(), host={"requestsPerSecond": 3})
    assert [ask(limits)[0].response is None for _ in range(5)] == [True, True, True, False, False]
    assert ask(limits, host="b.example")[0].response is None
    assert ask(limits, host="A.example")[0].response is not None


def test_bytes_count_while_they_go_and_what_was_too_much_is_owed() -> None:
    clock = Clock()
    limits = limits_of(clock, worker={"bytesPerHour": 3600})
    flow, facts = ask(limits)
    facts.bytes_in = 3000
    assert ask(limits)[0].response is None
    facts.bytes_out = 4200
    late, refused = ask(limits, OTHER)
    assert late.response is not None
    assert refused.limited == "worker bytesPerHour"
    limits.ended(flow)
    clock.now += 3600
    assert late.response.headers["retry-after"] == "3601"
    assert ask(limits)[0].response is not None
    clock.now += 1
    assert ask(limits)[0].response is None


def test_what_was_refused_by_the_policy_takes_nothing() -> None:
    limits = limits_of(Clock(), run={"requestsPerSecond": 1})
    flow = tflow.tflow()
    facts_of(flow).identity, facts_of(flow).decision = WHO, "denied"
    limits.requestheaders(flow)
    assert ask(limits)[0].response is None
