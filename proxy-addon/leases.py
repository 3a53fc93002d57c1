"""What runs may use of secrets, as the orchestrator lends it: values are here alone, in memory, and each as long as its lease. Bindings say
where one may go. Used by inject.py; secrets_line.py hears of it."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import policy as rules
from needles import Finder, Found, finder_of
from redact import SHOWN

Report = dict[str, object]

MOST_REPORTS = 1_000


@dataclass(frozen=True, slots=True)
class Use:
    """Where a secret may go: requests that a rule of the policy's language allows, and a place in them."""

    where: rules.Policy
    place: str
    """`bearer`, `basic`, `basic:USER` or `header:NAME`."""
    plain: bool
    """Without TLS too."""

    def fits(self, request: rules.Request) -> bool:
        """Whether it is for this request; where its name leads was decided before."""
        if request.scheme == "http" and not self.plain:
            return False
        decision = rules.decide(self.where, request)
        return decision.decision == "allow" or decision.reason == "private-address"


@dataclass(slots=True)
class Lease:
    """A secret lent to a run. `values`: the one to use, then those of before, which are still looked for."""

    run: str
    secret: str
    placeholder: str
    uses: tuple[Use, ...]
    values: list[str] = field(default_factory=list)
    until: float = 0.0
    """By time.monotonic()."""
    trouble: str | None = None

    def value(self) -> str | None:
        """What goes in the place of the placeholder; None where the lease has ended."""
        return self.values[0] if self.values and time.monotonic() < self.until else None


class Leases:
    """All that are lent, and what is watched for."""

    def __init__(self) -> None:
        self._runs: dict[str, dict[str, Lease]] = {}
        self._watched: dict[str, list[str]] = {}
        self._looked_for: frozenset[tuple[str, Found]] = frozenset()
        self.finder: Finder | None = None
        """For every value and placeholder; None where there is none."""
        self.reports: OrderedDict[str, Report] = OrderedDict()
        """Misuse that the orchestrator has not heard of yet."""
        self.changed = asyncio.Event()
        """Set with the next thing that the orchestrator says."""
        self.on_report: Callable[[], None] = lambda: None

    def of(self, run: str | None) -> dict[str, Lease]:
        """What a run may use, by placeholder."""
        return self._runs.get(run or "", {})

    def take(self, document: dict[str, Any]) -> None:
        """What holds from now on. A lease without values keeps those that it has, until its end; one that is not named is over."""
        runs: dict[str, dict[str, Lease]] = {}
        for entry in document["leases"]:
            lease = _lease(entry)
            old = self.of(lease.run).get(lease.placeholder)
            if old is not None:
                lease.values += [each for each in old.values if each not in lease.values]
                lease.until = max(lease.until, old.until) if not entry["values"] else lease.until
            runs.setdefault(lease.run, {})[lease.placeholder] = lease
        self._runs = runs
        self._watched.update(document["watched"])
        for name in self._watched.keys() - document["names"]:
            del self._watched[name]
        self._look_for()
        self.changed.set()
        self.changed = asyncio.Event()

    def report(self, id_: str, misuse: Report) -> None:
        """Keeps one for the orchestrator; the oldest goes where there are too many."""
        self.reports[id_] = misuse
        while len(self.reports) > MOST_REPORTS:
            self.reports.popitem(last=False)
        self.on_report()

    def _look_for(self) -> None:
        found = {(value, Found(name, "value")) for name, values in self._watched.items() for value in values}
        for lease in (each for run in self._runs.values() for each in run.values()):
            found |= {(value, Found(lease.secret, "value")) for value in lease.values}
            found.add((lease.placeholder, Found(lease.secret, "placeholder")))
        if found != self._looked_for:
            self._looked_for = frozenset(found)
            self.finder = finder_of(found)


def _lease(entry: dict[str, Any]) -> Lease:
    return Lease(
        run=entry["run"],
        secret=entry["secret"],
        placeholder=entry["placeholder"],
        uses=tuple(_use(use["rule"], use["place"], use["plain"]) for use in entry["uses"] if not _is_shown(use["place"])),
        values=list(entry["values"]),
        until=time.monotonic() + entry["seconds"],
        trouble=entry["trouble"],
    )


@lru_cache(maxsize=1024)
def _use(rule: str, place: str, plain: bool) -> Use:
    return Use(rules.compile_policy("", [rule], {}), place, plain)


def _is_shown(place: str) -> bool:
    """Whether records would show the value."""
    return place.removeprefix("header:").lower() in SHOWN
