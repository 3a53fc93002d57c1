"""The add-ons one by one, on flows that no network has seen. What they do together: test/integration/egress-proxy.test.ts."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from mitmproxy import http
from mitmproxy.proxy import server_hooks
from mitmproxy.test import taddons, tflow

from enforce import Enforcement
from facts import Identity, facts_of
from identity import IdentityCheck, token_of
from logger import AutocodeLogger
from redact import shown_headers, shown_url
from resolver import Resolver
from spool import Spool, SpoolFull
from streaming import Streaming
from turn_away import turn_away
from watched_file import WatchedFile

WHO = Identity(run="12-1", task=12, project="shop", kind="change", worker="w1")
TOKEN = "ac_egress_x"


@pytest.fixture(autouse=True)
def options() -> Iterator[None]:
    """mitmproxy's own."""
    with taddons.context():  # type: ignore[no-untyped-call]
        yield


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def flow_to(host: str, port: int = 80, path: str = "/", method: str = "GET") -> http.HTTPFlow:
    flow = tflow.tflow(req=http.Request.make(method, f"http://{host}:{port}{path}"))
    flow.request.headers["host"] = host if port == 80 else f"{host}:{port}"
    flow.client_conn.sni = None
    flow.server_conn.address = None
    return flow


def allowed(flow: http.HTTPFlow) -> http.HTTPFlow:
    facts_of(flow).identity = WHO
    return flow


def policy_in(directory: Path, *rules: str) -> str:
    path = directory / "policy.json"
    path.write_text(json.dumps({"version": "3", "rules": list(rules), "recording": {}}))
    return str(path)


def identities_in(directory: Path, *tokens: str) -> str:
    path = directory / "identities.json"
    table = {hashlib.sha256(token.encode()).hexdigest(): vars(WHO) for token in tokens}
    (directory / "new").write_text(json.dumps(table))
    os.replace(directory / "new", path)
    return str(path)


class Names:
    """A name server that a test holds in its hand."""

    def __init__(self, **answers: list[str]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    async def __call__(self, host: str) -> list[str]:
        self.asked.append(host)
        return self.answers.get(host.replace(".", "_"), [])


def enforcement(directory: Path, names: Names, *rules: str) -> Enforcement:
    return Enforcement(policy_in(directory, *rules), Resolver(names, kept_s=0))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (basic("run", TOKEN), TOKEN),
        (basic("root", TOKEN), None),
        (basic("run", ""), None),
        ("Bearer x", None),
        ("Basic !!!", None),
        ("", None),
        ("Basic " + base64.b64encode(b"run:\xff").decode(), None),
    ],
)
def test_only_credentials_of_a_run_are_credentials(header: str, expected: str | None) -> None:
    assert token_of(header) == expected


async def test_a_request_has_the_identity_of_its_credentials_which_go_no_further(tmp_path: Path) -> None:
    check = IdentityCheck(identities_in(tmp_path, TOKEN))
    flow = flow_to("a.example")
    flow.request.headers["proxy-authorization"] = basic("run", TOKEN)
    await check.requestheaders(flow)
    assert facts_of(flow).identity == WHO
    assert flow.response is None
    assert "proxy-authorization" not in flow.request.headers


async def test_requests_in_a_tunnel_have_its_identity_until_the_run_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("identity.PATIENCE_S", 0.2)
    monkeypatch.setattr("watched_file.LOOK_EVERY_S", 0.0)
    check = IdentityCheck(identities_in(tmp_path, TOKEN))
    tunnel = flow_to("a.example", 443, method="CONNECT")
    tunnel.request.headers["proxy-authorization"] = basic("run", TOKEN)
    await check.http_connect(tunnel)
    assert tunnel.response is None
    inside = flow_to("a.example", 443)
    inside.client_conn = tunnel.client_conn
    inside.request.headers["proxy-authorization"] = basic("run", "ac_egress_other")
    await check.requestheaders(inside)
    assert facts_of(inside).identity == WHO
    assert "proxy-authorization" not in inside.request.headers
    identities_in(tmp_path)
    later = flow_to("a.example", 443)
    later.client_conn = tunnel.client_conn
    await check.requestheaders(later)
    assert later.response is not None
    assert later.response.status_code == 407


async def test_a_run_may_ask_before_its_identity_has_been_written(tmp_path: Path) -> None:
    check = IdentityCheck(str(tmp_path / "identities.json"))
    flow = flow_to("a.example", 443, method="CONNECT")
    flow.request.headers["proxy-authorization"] = basic("run", TOKEN)
    asked = check.http_connect(flow)
    identities_in(tmp_path, TOKEN)
    await asked
    assert flow.response is None


async def test_a_request_is_let_out_to_the_address_that_was_checked_whatever_the_name_says_later(tmp_path: Path) -> None:
    names = Names(a_example=["9.9.9.9"])
    enforce = enforcement(tmp_path, names, "allow host=a.example")
    flow = allowed(flow_to("a.example"))
    await enforce.requestheaders(flow)
    assert facts_of(flow).decision == "allowed"
    names.answers["a_example"] = ["127.0.0.1"]
    flow.server_conn.address = ("a.example", 80)
    data = server_hooks.ServerConnectionHookData(flow.server_conn, flow.client_conn)
    enforce.server_connect(data)
    assert data.server.address == ("9.9.9.9", 80)
    assert data.server.error is None
    enforce.server_connected(data)
    assert data.server.address == ("a.example", 80)
    again = allowed(flow_to("a.example"))
    again.client_conn = flow.client_conn
    await enforce.requestheaders(again)
    assert facts_of(again).reason == "private-address"


async def test_no_connection_is_opened_that_was_not_decided(tmp_path: Path) -> None:
    enforce = enforcement(tmp_path, Names(a_example=["9.9.9.9"]), "allow host=a.example")
    flow = allowed(flow_to("a.example"))
    await enforce.requestheaders(flow)
    for address in [("a.example", 22), ("b.example", 80), ("9.9.9.9", 80)]:
        flow.server_conn.address = address
        flow.server_conn.error = None
        data = server_hooks.ServerConnectionHookData(flow.server_conn, flow.client_conn)
        enforce.server_connect(data)
        assert data.server.error == "not allowed by the egress policy"
    stranger = flow_to("a.example")
    stranger.client_conn.id = "another"
    stranger.server_conn.address = ("a.example", 80)
    data = server_hooks.ServerConnectionHookData(stranger.server_conn, stranger.client_conn)
    enforce.server_connect(data)
    assert data.server.error is not None
    enforce.client_disconnected(flow.client_conn)
    flow.server_conn.address, flow.server_conn.error = ("a.example", 80), None
    data = server_hooks.ServerConnectionHookData(flow.server_conn, flow.client_conn)
    enforce.server_connect(data)
    assert data.server.error is not None


async def test_a_name_that_may_not_be_reached_is_not_looked_up(tmp_path: Path) -> None:
    names = Names()
    enforce = enforcement(tmp_path, names, "allow host=a.example path=/ok")
    flow = allowed(flow_to("the-secret-is-4711.evil.example"))
    await enforce.requestheaders(flow)
    wrong_path = allowed(flow_to("a.example", path="/no"))
    await enforce.requestheaders(wrong_path)
    assert names.asked == []
    assert facts_of(flow).allowed_by == "allow method=GET,HEAD host=the-secret-is-4711.evil.example path=/"
    assert flow.response is not None
    assert flow.response.status_code == 403
    assert "autocode egress policy allow" in (flow.response.text or "")
    right = allowed(flow_to("a.example", path="/ok"))
    await enforce.requestheaders(right)
    assert names.asked == ["a.example"]
    assert facts_of(right).decision == "denied"  # the name is unknown


async def test_a_refusal_is_json_for_those_who_read_json(tmp_path: Path) -> None:
    flow = allowed(flow_to("a.example"))
    flow.request.headers["accept"] = "application/json"
    await enforcement(tmp_path, Names()).requestheaders(flow)
    assert flow.response is not None
    assert flow.response.json()["error"]["code"] == "ERR_EGRESS_DENIED"


def test_a_long_request_that_is_turned_away_is_cut_off() -> None:
    for name, value, cut in [
        ("content-length", "100", False),
        ("content-length", "3000000", True),
        ("transfer-encoding", "chunked", True),
        ("content-length", "abc", True),
    ]:
        flow = flow_to("a.example", method="POST")
        flow.request.headers.pop("content-length", None)
        flow.request.headers[name] = value
        flow.live = True
        turn_away(flow, http.Response.make(403))
        assert (flow.error is not None) == cut
        assert (flow.response is None) == cut


def records(directory: Path) -> list[dict[str, object]]:
    return [json.loads(line) for file in sorted(directory.glob("*.jsonl")) for line in file.read_text().splitlines()]


def test_a_record_is_open_before_and_closed_after_and_holds_no_secret(tmp_path: Path) -> None:
    logger = AutocodeLogger(Spool(str(tmp_path), 1 << 30))
    streaming = Streaming()
    flow = allowed(flow_to("a.example", path="/x?api_key=hush&q=1"))
    flow.request.headers["authorization"] = "Bearer hush"
    flow.request.headers["x-mine"] = "hush"
    flow.request.headers["user-agent"] = "curl ghp_0123456789abcdefghij"
    facts_of(flow).decision = "allowed"
    logger.requestheaders(flow)
    streaming.requestheaders(flow)
    [opened] = records(tmp_path)
    assert (opened["event"], opened["run"], opened["url"]) == ("open", "12-1", "http://a.example/x?api_key=[redacted]&q=1")
    flow.response = http.Response.make(200, b"", {"set-cookie": "hush", "content-type": "text/plain"})
    del flow.response.headers["content-length"]
    streaming.responseheaders(flow)
    assert callable(flow.response.stream)
    assert flow.response.stream(b"12345") == b"12345"
    logger.ended(flow)
    logger.ended(flow)  # what has ended ends once
    _, closed = records(tmp_path)
    assert (closed["id"], closed["event"], closed["status"], closed["bytesIn"]) == (opened["id"], "close", 200, 5)
    text = json.dumps(records(tmp_path))
    assert "hush" not in text
    assert "ghp_" not in text
    assert ["content-type", "text/plain"] in closed["responseHeaders"]  # type: ignore[operator]


def test_without_room_for_its_record_a_request_is_refused(tmp_path: Path) -> None:
    logger = AutocodeLogger(Spool(str(tmp_path), 1 << 20))
    flow = allowed(flow_to("a.example"))
    facts_of(flow).decision = "allowed"
    logger.requestheaders(flow)
    assert flow.response is not None
    assert flow.response.status_code == 507
    assert facts_of(flow).decision == "refused"


def test_a_spool_goes_on_after_a_line_that_a_crash_cut_off(tmp_path: Path) -> None:
    Spool(str(tmp_path), 1 << 30).begin({"n": 1})
    [file] = tmp_path.glob("*.jsonl")
    file.write_bytes(file.read_bytes() + b'{"n": 2, "cut')
    spool = Spool(str(tmp_path), 1 << 30)
    spool.begin({"n": 3})
    spool.close()
    lines = [line for each in sorted(tmp_path.glob("*.jsonl")) for line in each.read_text().splitlines()]
    assert lines == ['{"n":1}', '{"n": 2, "cut', '{"n":3}']


def test_ends_that_find_no_room_are_kept_back_until_there_is_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(str(tmp_path), 1 << 30)
    spool.begin({"n": 1})

    def full(*_: object) -> None:
        raise SpoolFull("full")

    with monkeypatch.context() as patch:
        patch.setattr(spool, "_append", full)
        spool.end({"n": 2})
        with pytest.raises(SpoolFull):
            spool.begin({"n": 3})
    spool.end({"n": 4})
    assert [each["n"] for each in records(tmp_path)] == [1, 2, 4]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a/b?x=1&y=two", "https://a/b?x=1&y=two"),
        ("https://u:p@a/b", "https://a/b"),
        ("https://a/b?access_token=x", "https://a/b?access_token=[redacted]"),
        ("https://a/b?q=Zm9vYmFyYmF6cXV4MTIzNDU2", "https://a/b?q=[redacted]"),
        ("https://a/ghp_0123456789abcdef/x", "https://a/[redacted]/x"),
        ("https://a/b#fragment", "https://a/b"),
    ],
)
def test_addresses_are_shown_without_secrets(url: str, expected: str) -> None:
    assert shown_url(url) == expected


def test_headers_are_shown_by_name_and_a_few_by_value() -> None:
    headers = http.Headers([(b"Accept", b"*/*"), (b"X-Api-Key", b"k"), (b"Cookie", b"c")])
    assert shown_headers(headers) == [["Accept", "*/*"], ["X-Api-Key", "[redacted]"], ["Cookie", "[redacted]"]]


def test_a_file_that_is_replaced_is_read_again_and_a_bad_one_leaves_what_was(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("1")
    watched = WatchedFile(str(path), lambda name: int(Path(name).read_text()), 0)
    assert watched.value() == 1
    path.write_text("22")
    assert watched.value(fresh=True) == 22
    path.write_text("broken")
    assert watched.value(fresh=True) == 22
    path.unlink()
    assert watched.value(fresh=True) == 22


async def test_names_are_kept_for_seconds_and_ipv4_comes_first() -> None:
    names = Names(a_example=["9.9.9.9"])
    resolver = Resolver(names, kept_s=60)
    assert await resolver.addresses("a.example") == ["9.9.9.9"]
    assert await resolver.addresses("a.example") == ["9.9.9.9"]
    assert names.asked == ["a.example"]
    assert await resolver.addresses("[::1]") == ["::1"]
    assert await Resolver().addresses("localhost") != []
