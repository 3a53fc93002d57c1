"""The transparent listener and the resolver for workers, on flows that no network has seen. On a real network with the firewall:
test/integration/egress-firewall.test.ts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from mitmproxy import dns, http
from mitmproxy.net.dns import response_codes, types
from mitmproxy.proxy.mode_specs import ProxyMode
from mitmproxy.test import taddons, tflow, tutils

from enforce import Enforcement
from facts import facts_of, listener_of
from identity import IdentityCheck
from names import Names
from resolver import Resolver
from spool import Spool
from transparent import Transparent, Workers

VM = "10.77.0.11"
MEANT = "198.51.100.9"
"""Where the client thought that it would get."""

RULES = [
    "allow host=a.example",
    "allow host=b.example path=/ok",
    "allow host=c.example:8443",
    "allow host=inside.example address=10.9.9.9",
    "allow host=leads-inside.example",
    "allow host=unknown.example",
    "allow host=six.example",
    "allow host=shop.example project=shop",
    "allow host=93.184.215.14",
    "pass host=pinned.example",
]
ADDRESSES = {
    "a.example": ["93.184.215.14"],
    "b.example": ["93.184.215.15"],
    "inside.example": ["10.9.9.9"],
    "leads-inside.example": ["10.9.9.9"],
    "six.example": ["2606:2800:21f:cb07:6820:80da:af6b:8b2c"],
    "shop.example": ["93.184.215.16"],
    "pinned.example": ["93.184.215.17"],
}


class Lookups:
    """Answers as other resolvers would, and notes what they were asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, host: str) -> list[str]:
        self.asked.append(host)
        return ADDRESSES.get(host, [])


@pytest.fixture(autouse=True)
def options() -> Iterator[None]:
    """mitmproxy's own."""
    with taddons.context():  # type: ignore[no-untyped-call]
        yield


@pytest.fixture
def lookups() -> Lookups:
    return Lookups()


@pytest.fixture
def workers(tmp_path: Path) -> Workers:
    (tmp_path / "workers.json").write_text(json.dumps({VM: "vm-1"}))
    return Workers(str(tmp_path / "workers.json"))


@pytest.fixture
def enforcement(tmp_path: Path, lookups: Lookups) -> Enforcement:
    path = tmp_path / "policy.json"
    path.write_text(json.dumps({"version": "3 abc", "rules": RULES, "recording": {"shop": 1e12}}))
    return Enforcement(str(path), Resolver(lookups))


def caught(target: str = "/", scheme: str = "https", sni: str | None = "a.example", **headers: str) -> http.HTTPFlow:
    """A request as mitmproxy hands it on in transparent mode: under the address that it was meant for."""
    flow = tflow.tflow(req=http.Request.make("GET", f"{scheme}://{MEANT}{target}"))
    flow.client_conn.peername = (VM, 40000)
    flow.client_conn.proxy_mode = ProxyMode.parse("transparent@4012")
    flow.client_conn.sni = sni
    flow.server_conn.address = None
    flow.request.headers["host"] = "a.example"
    for name, value in headers.items():
        flow.request.headers[name.replace("_", "-")] = value
    return flow


async def decided(flow: http.HTTPFlow, workers: Workers, enforcement: Enforcement) -> str:
    Transparent(workers).requestheaders(flow)
    await IdentityCheck("").requestheaders(flow)
    await enforcement.requestheaders(flow)
    facts = facts_of(flow)
    return facts.decision if facts.decision == "allowed" else f"{facts.decision}: {facts.reason}"


async def test_a_request_goes_by_the_name_that_it_is_for_to_the_address_that_was_looked_up(
    workers: Workers, enforcement: Enforcement, lookups: Lookups
) -> None:
    flow = caught(proxy_authorization="Basic cnVuOng=")
    assert await decided(flow, workers, enforcement) == "allowed"
    facts = facts_of(flow)
    assert (facts.address, flow.request.host, listener_of(flow.client_conn)) == ("93.184.215.14", "a.example", "transparent")
    assert facts.identity is not None
    assert (facts.identity.worker, facts.identity.run, facts.identity.project) == ("vm-1", None, None)
    assert flow.request.headers["host"] == "a.example"
    assert "proxy-authorization" not in flow.request.headers
    assert lookups.asked == ["a.example"]


@pytest.mark.parametrize(
    ("flow", "outcome"),
    [
        (caught(scheme="http", sni=None), "allowed"),
        (caught(host="a.example:443"), "allowed"),
        (caught(host="b.example"), "denied: names-differ"),
        (caught(sni="b.example"), "denied: names-differ"),
        (caught(sni=None), "denied: names-differ"),  # no name: it is for an address, and the Host header says otherwise
        (caught(sni=None, host=MEANT), "denied: no-rule"),
        (caught(sni=MEANT, host=MEANT), "denied: names-differ"),
        (caught(host="a.example:8443"), "denied: names-differ"),
        (caught(host="3322468366"), "denied: names-differ"),
        (caught(scheme="http", sni=None, host="3322468366"), "denied: malformed"),
        (caught(scheme="http", sni=None, host="0306.063.0144.011"), "denied: malformed"),
        (caught(scheme="http", sni=None, host="127.0.0.1"), "denied: no-rule"),
        (caught(scheme="http", sni=None, host="93.184.215.14"), "allowed"),
        (caught(scheme="http", sni=None, host=""), "denied: names-differ"),
        (caught(scheme="http", sni=None, host="user@a.example"), "denied: malformed"),
        (caught(sni="leads-inside.example", host="leads-inside.example"), "denied: private-address"),
        (caught(sni="inside.example", host="inside.example"), "allowed"),
        (caught(sni="shop.example", host="shop.example"), "denied: no-rule"),  # a rule for a project's runs, and record mode, too
        (caught(sni="b.example", host="b.example", target="/not"), "denied: no-rule"),
    ],
)
async def test_what_may_go_out_by_it(flow: http.HTTPFlow, outcome: str, workers: Workers, enforcement: Enforcement) -> None:
    assert await decided(flow, workers, enforcement) == outcome


async def test_a_host_in_the_request_line_is_compared_too(workers: Workers, enforcement: Enforcement) -> None:
    flow = caught()
    flow.request.data.authority = b"b.example"
    assert await decided(flow, workers, enforcement) == "denied: names-differ"


async def test_a_client_of_the_explicit_listener_still_needs_an_identity(workers: Workers, enforcement: Enforcement) -> None:
    flow = caught()
    flow.client_conn.proxy_mode = ProxyMode.parse("regular")
    assert (await decided(flow, workers, enforcement)).startswith("refused")


def question(name: str, type_: int = types.A) -> dns.DNSFlow:
    flow = tflow.tdnsflow(req=tutils.tdnsreq(questions=[dns.Question(name, type_, 1)]))
    flow.client_conn.peername = (VM, 5353)
    flow.response = None
    return flow


@pytest.mark.parametrize(
    ("flow", "code", "found"),
    [
        (question("a.example"), response_codes.NOERROR, ["93.184.215.14"]),
        (question("A.Example"), response_codes.NOERROR, ["93.184.215.14"]),
        (question("b.example"), response_codes.NOERROR, ["93.184.215.15"]),
        (question("pinned.example"), response_codes.NOERROR, ["93.184.215.17"]),
        (question("inside.example"), response_codes.NOERROR, ["10.9.9.9"]),
        (question("a.example", types.AAAA), response_codes.NOERROR, []),
        (question("a.example", types.TXT), response_codes.NOERROR, []),
        (question("six.example"), response_codes.NOERROR, []),
        (question("unknown.example"), response_codes.NXDOMAIN, []),
        (question("leads-inside.example"), response_codes.REFUSED, []),
        (question("c.example"), response_codes.REFUSED, []),  # the firewall leads only 80 and 443 to the proxy
        (question("shop.example"), response_codes.REFUSED, []),
        (question("secret.evil.example"), response_codes.REFUSED, []),
        (question("1.2.3.4"), response_codes.REFUSED, []),
        (question("a b.example"), response_codes.REFUSED, []),
    ],
)
async def test_what_names_lead_to(
    flow: dns.DNSFlow, code: int, found: list[str], workers: Workers, enforcement: Enforcement, tmp_path: Path
) -> None:
    await Names(workers, enforcement, Spool(str(tmp_path / "spool"), 1 << 30)).dns_request(flow)
    assert flow.response is not None
    assert flow.response.response_code == code
    assert [str(answer.ipv4_address) for answer in flow.response.answers] == found
    assert flow.response.packed


async def test_a_name_without_a_rule_is_asked_of_nobody_and_leaves_one_record(
    workers: Workers, enforcement: Enforcement, lookups: Lookups, tmp_path: Path
) -> None:
    names = Names(workers, enforcement, Spool(str(tmp_path / "spool"), 1 << 30))
    for _ in range(3):
        await names.dns_request(question("secret.evil.example"))
    assert lookups.asked == []
    [record] = [json.loads(line) for file in (tmp_path / "spool").glob("*.jsonl") for line in file.read_text().splitlines()]
    assert (record["listener"], record["worker"], record["host"], record["method"]) == ("resolver", "vm-1", "secret.evil.example", "A")
    assert (record["decision"], record["reason"], record["allowedBy"]) == ("denied", "no-rule", "allow host=secret.evil.example")
