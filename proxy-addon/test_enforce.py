"""What enforcement makes of a request before the policy decides: its names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from mitmproxy import http
from mitmproxy.test import tflow

from enforce import Enforcement
from facts import Identity, facts_of
from resolver import Resolver

WHO = Identity(run="12-1", task=12, project="shop", kind="change", worker="w1")


@pytest.mark.parametrize(
    ("version", "authority", "hosts", "decision"),
    [
        ("HTTP/1.1", "", ["a.example"], "allowed"),
        ("HTTP/1.1", "", ["evil.example"], "denied"),
        ("HTTP/1.1", "", ["a.example", "evil.example"], "denied"),
        ("HTTP/1.1", "", [], "denied"),
        ("HTTP/2.0", "a.example", [], "allowed"),
        ("HTTP/2.0", "a.example", ["a.example"], "allowed"),
        ("HTTP/2.0", "evil.example", [], "denied"),
        ("HTTP/2.0", "a.example", ["evil.example"], "denied"),
        ("HTTP/2.0", "evil.example", ["a.example"], "denied"),
        ("HTTP/2.0", "", ["a.example"], "allowed"),
    ],
)
async def test_every_name_of_the_far_side_is_that_of_the_rule(
    version: str, authority: str, hosts: list[str], decision: str, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({"version": "1", "rules": ["allow host=a.example"], "recording": {}}))

    async def lookup(_host: str) -> list[str]:
        return ["93.184.216.34"]

    request = http.Request.make("GET", "https://a.example/")
    request.http_version = version
    request.headers.pop("host", None)
    request.headers.set_all("host", hosts)
    request.data.authority = authority.encode()
    flow = tflow.tflow(req=request)
    flow.client_conn.sni = "a.example"
    facts_of(flow).identity = WHO
    await Enforcement(str(policy), Resolver(lookup)).requestheaders(flow)
    assert facts_of(flow).decision == decision


@pytest.mark.parametrize("value", ["a\rHost: evil.example", "a\r\n folded", "a\x00b", "a\x0bb"])
async def test_a_header_that_a_server_may_read_as_two_is_malformed(value: str, tmp_path: Path) -> None:
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({"version": "1", "rules": ["allow host=a.example"], "recording": {}}))
    asked: list[str] = []

    async def lookup(host: str) -> list[str]:
        asked.append(host)
        return ["93.184.216.34"]

    flow = tflow.tflow(req=http.Request.make("GET", "http://a.example/"))
    flow.request.headers["host"], flow.request.headers["x"] = "a.example", value
    flow.client_conn.sni = None
    facts_of(flow).identity = WHO
    await Enforcement(str(policy), Resolver(lookup)).requestheaders(flow)
    assert (facts_of(flow).decision, facts_of(flow).reason, asked) == ("denied", "malformed", [])
