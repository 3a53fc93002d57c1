"""The names that workers may look up, for those behind the firewall, who have no other resolver: names that a rule may allow for them, and
nothing is asked of others for the rest. What is refused leaves a record."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict

from mitmproxy import dns
from mitmproxy.net.dns import classes, op_codes, response_codes, types

import refusal
from canonical import read_host
from enforce import Enforcement, Lookup
from facts import Identity
from logger import stamp
from redact import shown_text
from spool import Spool
from transparent import Workers

TTL_S = 30
NOT_AGAIN_S = 60.0
KEPT = 1_000


class Names:
    """Answers by itself in every case: a question without an answer would be sent on."""

    def __init__(self, workers: Workers, enforcement: Enforcement, spool: Spool) -> None:
        self._workers = workers
        self._enforcement = enforcement
        self._spool = spool
        self._told: OrderedDict[tuple[str | None, str], float] = OrderedDict()

    async def dns_request(self, flow: dns.DNSFlow) -> None:
        """Gives the address that the proxy itself would connect to; REFUSED where it would connect to none."""
        asked = flow.request
        question = asked.question
        flow.response = asked.fail(response_codes.REFUSED)
        if question is None or not asked.query or asked.op_code != op_codes.QUERY or question.class_ != classes.IN:
            return
        name = read_host(question.name)
        if not isinstance(name, str):
            return
        found = await self._enforcement.lookup(name)
        if found.allowed:
            flow.response = asked.succeed(_records(question, found.request.address))
        elif found.request.address is None:
            flow.response = asked.fail(response_codes.NXDOMAIN)
        elif self._is_news(flow, name):
            self._spool.end(_refused(flow, question, found, self._workers.at(flow.client_conn)))

    def _is_news(self, flow: dns.DNSFlow, name: str) -> bool:
        """Programs ask again and again: one record a minute of the same name is enough."""
        key = (flow.client_conn.peername[0] if flow.client_conn.peername else None, name)
        now = time.monotonic()
        if now < self._told.get(key, 0.0):
            return False
        self._told[key] = now + NOT_AGAIN_S
        self._told.move_to_end(key)
        if len(self._told) > KEPT:
            self._told.popitem(last=False)
        return True


def _records(question: dns.Question, address: str | None) -> list[dns.ResourceRecord]:
    """None for other types than A: there is no IPv6 behind the firewall, and nothing that goes by other records."""
    where = None if address is None else ipaddress.ip_address(address)
    if question.type != types.A or not isinstance(where, ipaddress.IPv4Address):
        return []
    return [dns.ResourceRecord.A(question.name, where, ttl=TTL_S)]


def _refused(flow: dns.DNSFlow, question: dns.Question, found: Lookup, who: Identity) -> dict[str, object]:
    return {
        "event": "close",
        "id": flow.id,
        "at": stamp(time.time()),
        "listener": "resolver",
        "worker": who.worker,
        "client": flow.client_conn.peername[0] if flow.client_conn.peername else None,
        "method": types.to_str(question.type),
        "scheme": "dns",
        "host": shown_text(question.name),
        "port": 53,
        "decision": "denied",
        "rule": found.decision.rule,
        "reason": found.decision.reason,
        "allowedBy": refusal.suggestion(found.request, found.decision),
        "policy": found.policy,
    }
