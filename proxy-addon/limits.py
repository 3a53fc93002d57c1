"""How much may go out: requests a second, and bytes an hour and a day, by worker, run and host. What is over a limit gets 429 and is told
when to come again. Counted in memory: a proxy that is started again begins anew."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from mitmproxy import http

from facts import Identity, facts_of
from identity import refuse
from turn_away import PLAIN, turn_away

Settings = dict[str, dict[str, float]]
"""By scope (`worker`, `run`, `host`): `requestsPerSecond`, `bytesPerHour`, `bytesPerDay`."""

PERIODS = {"requestsPerSecond": 1.0, "bytesPerHour": 3600.0, "bytesPerDay": 86_400.0}
WORDS = {"requestsPerSecond": "requests a second", "bytesPerHour": "bytes an hour", "bytesPerDay": "bytes a day"}
MOST_BUCKETS = 10_000

Clock = Callable[[], float]


class Bucket:
    """Fills up in its period. What one request took over the limit is owed: it may hold less than nothing."""

    __slots__ = ("_filled", "_left", "_most", "_rate")

    def __init__(self, limit: float, period_s: float, now: float) -> None:
        self._rate = limit / period_s
        self._most = max(limit, 1.0)
        self._left = self._most
        self._filled = now

    def wait(self, least: float, now: float) -> float:
        """Seconds until there is so much."""
        self._fill(now)
        return max(0.0, (least - self._left) / self._rate)

    def take(self, amount: float) -> None:
        """Whether it is there or not."""
        self._left -= amount

    def is_full(self, now: float) -> bool:
        """Then it says no more than none would."""
        self._fill(now)
        return self._left >= self._most

    def _fill(self, now: float) -> None:
        self._left = min(self._most, self._left + self._rate * (now - self._filled))
        self._filled = now


class Weighed(Protocol):
    """What goes through, as far as it has come."""

    bytes_out: int
    bytes_in: int


class Limit(Exception):
    """A limit is reached: which, and for how many seconds."""

    def __init__(self, scope: str, kind: str, wait_s: float) -> None:
        super().__init__(f"the limit of {WORDS[kind]} of the {scope} is reached")
        self.limited = f"{scope} {kind}"
        self.wait_s = wait_s


class Limits:
    """After enforcement: only what would go out counts. `settings` is JSON; none is no limit."""

    def __init__(self, settings: str, clock: Clock = time.monotonic) -> None:
        self._settings: Settings = json.loads(settings) if settings else {}
        self._clock = clock
        self._buckets: dict[tuple[str, str, str], Bucket] = {}
        self._open: dict[str, tuple[Weighed, int, list[Bucket]]] = {}

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Refuses what is over a limit."""
        facts = facts_of(flow)
        if not self._settings or facts.decision != "allowed" or facts.identity is None or flow.response is not None:
            return
        try:
            self.begin(flow.id, facts.identity, flow.request.host, facts)
        except Limit as limit:
            refuse(facts, str(limit))
            facts.limited = limit.limited
            turn_away(flow, too_many(limit))

    def ended(self, flow: http.HTTPFlow) -> None:
        """Takes what has not been taken yet; told by ending.py. An answer that was handed on as a whole has only been weighed by now."""
        facts, answer = facts_of(flow), flow.response
        if flow.id in self._open and answer is not None and not answer.stream and facts.cache != "hit":
            for bucket in self._open[flow.id][2]:
                bucket.take(len(answer.raw_content or b""))
        self.end(flow.id)

    def begin(self, id_: str, who: Identity, host: str, weighed: Weighed) -> None:
        """Counts a request, and from now on its bytes. Limit where there is no room for it."""
        for each in list(self._open):
            self._weigh(each)
        now = self._clock()
        buckets = list(self._buckets_of(who, host, now))
        waits = [(bucket.wait(1.0, now), scope, kind) for scope, kind, bucket in buckets]
        if waits and (longest := max(waits))[0] > 0:
            raise Limit(longest[1], longest[2], longest[0])
        for _, kind, bucket in buckets:
            if kind == "requestsPerSecond":
                bucket.take(1.0)
        heavy = [bucket for _, kind, bucket in buckets if kind != "requestsPerSecond"]
        if heavy:
            self._open[id_] = (weighed, 0, heavy)

    def end(self, id_: str) -> None:
        """Takes what has not been taken yet."""
        self._weigh(id_)
        self._open.pop(id_, None)

    def _weigh(self, id_: str) -> None:
        if id_ not in self._open:
            return
        weighed, taken, buckets = self._open[id_]
        now = weighed.bytes_out + weighed.bytes_in
        for bucket in buckets:
            bucket.take(now - taken)
        self._open[id_] = (weighed, now, buckets)

    def _buckets_of(self, who: Identity, host: str, now: float) -> Iterator[tuple[str, str, Bucket]]:
        names = {"worker": who.worker, "run": who.run, "host": host.lower()}
        if len(self._buckets) > MOST_BUCKETS:
            self._buckets = {key: bucket for key, bucket in self._buckets.items() if not bucket.is_full(now)}
        for scope, limits in self._settings.items():
            name = names[scope]
            if name is None:
                continue
            for kind, limit in limits.items():
                key = (scope, name, kind)
                if key not in self._buckets:
                    self._buckets[key] = Bucket(limit, PERIODS[kind], now)
                yield scope, kind, self._buckets[key]


def too_many(limit: Limit) -> http.Response:
    """The answer to what is over a limit."""
    after = str(math.ceil(limit.wait_s))
    return http.Response.make(429, f"Egress refused: {limit}. Try again in {after} s.\n", {**PLAIN, "retry-after": after})
