"""Placeholders and values on flows that no network has seen. With a real proxy: test/integration/injection.test.ts."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from mitmproxy import http
from mitmproxy.test import taddons, tflow

from facts import Identity, facts_of
from inject import Injection
from leases import Leases
from needles import Finder, Found, finder_of, forms, masked, watched
from secrets_line import SecretsLine

WHO = Identity(run="12-1", task=12, project="shop", kind="change", worker="w1")
PLACEHOLDER = "acph_" + "p" * 43
OTHER = "acph_" + "q" * 43
VALUE = "v4lue-Of-the/secret+0"
VALUE_FOUND = Found("token", "value")


@pytest.fixture(autouse=True)
def options() -> Iterator[None]:
    """mitmproxy's own."""
    with taddons.context():  # type: ignore[no-untyped-call]
        yield


def lent(place: str = "bearer", rule: str = "allow host=a.example", values: tuple[str, ...] = (VALUE,), seconds: float = 60) -> Leases:
    leases = Leases()
    leases.take(document(place, rule, values, seconds))
    return leases


def document(
    place: str = "bearer", rule: str = "allow host=a.example", values: tuple[str, ...] = (VALUE,), seconds: float = 60
) -> dict[str, object]:
    uses = [{"rule": rule, "place": place, "plain": False}]
    lease = {
        "run": "12-1",
        "secret": "token",
        "placeholder": PLACEHOLDER,
        "uses": uses,
        "values": values,
        "seconds": seconds,
        "trouble": None,
    }
    return {"leases": [lease], "watched": {"other": ["an0ther-value"]}, "names": ["other"]}


def flow_with(host: str = "a.example", path: str = "/x", method: str = "GET", **headers: str) -> http.HTTPFlow:
    flow = tflow.tflow(req=http.Request.make(method, f"https://{host}{path}"))
    flow.request.headers.fields = tuple((name.replace("_", "-").encode(), value.encode()) for name, value in headers.items())
    flow.client_conn.sni = host
    facts = facts_of(flow)
    facts.identity, facts.decision, facts.address = WHO, "allowed", "9.9.9.9"
    return flow


async def passed(leases: Leases, flow: http.HTTPFlow) -> http.HTTPFlow:
    answer = Injection(leases).requestheaders(flow)
    if answer is not None:
        await answer
    return flow


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("place", "header", "sent", "goes"),
    [
        ("bearer", "authorization", f"Bearer {PLACEHOLDER}", f"Bearer {VALUE}"),
        ("bearer", "Authorization", f"bearer {PLACEHOLDER}", f"bearer {VALUE}"),
        ("basic", "authorization", basic("x", PLACEHOLDER), basic("x", VALUE)),
        ("basic:me", "authorization", basic("me", PLACEHOLDER), basic("me", VALUE)),
        ("header:X-Api-Key", "x-api-key", PLACEHOLDER, VALUE),
        ("header:Authorization", "authorization", f"token {PLACEHOLDER}", f"token {VALUE}"),
        # Elsewhere than the binding says:
        ("bearer", "authorization", f"token {PLACEHOLDER}", None),
        ("bearer", "authorization", f"Bearer x{PLACEHOLDER}", None),
        ("bearer", "authorization", basic("x", PLACEHOLDER), None),
        ("bearer", "x-api-key", PLACEHOLDER, None),
        ("basic:me", "authorization", basic("you", PLACEHOLDER), None),
        ("basic", "authorization", f"Basic {PLACEHOLDER}", None),
        ("header:X-Api-Key", "x-api-key-2", PLACEHOLDER, None),
        ("header:Accept", "accept", PLACEHOLDER, None),
    ],
)
async def test_a_placeholder_is_swapped_in_its_header_alone(place: str, header: str, sent: str, goes: str | None) -> None:
    leases = lent(place)
    flow = await passed(leases, flow_with(**{header: sent}))
    if goes is not None:
        assert flow.response is None
        assert flow.request.headers[header] == goes
        assert facts_of(flow).injected == ["token"]
        assert leases.reports == {}
        return
    assert flow.response is not None
    assert flow.response.status_code == 403
    assert PLACEHOLDER in str(flow.request.headers) or "Basic" in str(flow.request.headers)
    assert facts_of(flow).misused == "token"
    [report] = leases.reports.values()
    assert (report["run"], report["secret"], report["kind"], report["host"]) == ("12-1", "token", "placeholder", "a.example")


@pytest.mark.parametrize(
    ("rule", "request_", "goes"),
    [
        ("allow host=a.example", ("a.example", "/x", "GET"), True),
        ("allow host=a.example", ("b.example", "/x", "GET"), False),
        ("allow method=PUT host=a.example", ("a.example", "/x", "GET"), False),
        ("allow host=a.example path=/npm/**", ("a.example", "/npm/x", "GET"), True),
        ("allow host=a.example path=/npm/**", ("a.example", "/x", "GET"), False),
        ("allow host=**.example", ("a.example", "/x", "GET"), True),
    ],
)
async def test_it_is_swapped_for_requests_of_the_binding_alone(rule: str, request_: tuple[str, str, str], goes: bool) -> None:
    flow = await passed(lent(rule=rule), flow_with(*request_, authorization=f"Bearer {PLACEHOLDER}"))
    assert (flow.response is None) == goes
    assert (VALUE in flow.request.headers["authorization"]) == goes


async def test_without_tls_nothing_is_swapped_unless_the_binding_says_so() -> None:
    for plain in (False, True):
        leases = Leases()
        said = document()
        said["leases"][0]["uses"][0]["plain"] = plain  # type: ignore[index]
        leases.take(said)
        flow = flow_with(authorization=f"Bearer {PLACEHOLDER}")
        flow.request.scheme, flow.request.port, flow.client_conn.sni = "http", 80, None
        await passed(leases, flow)
        assert (flow.response is None) == plain


@pytest.mark.parametrize(
    ("flow", "place", "secret"),
    [
        (flow_with(path=f"/x?token={PLACEHOLDER}"), "the address", "token"),
        (flow_with(path="/x?token=" + VALUE.replace("/", "%2F")), "the address", "token"),
        (flow_with(path=f"/{VALUE}"), "the address", "token"),
        (flow_with(x_mine=f"-{VALUE}-"), "the header x-mine", "token"),
        (flow_with(x_mine=base64.b64encode(f"ab{VALUE}c".encode()).decode()), "the header x-mine", "token"),
        (flow_with(x_mine="an0ther-value"), "the header x-mine", "other"),
        (flow_with(x_mine=OTHER), "the header x-mine", ""),
        (flow_with(authorization=f"Bearer {PLACEHOLDER}", x_mine=VALUE), "the header x-mine", "token"),
    ],
)
async def test_secrets_elsewhere_are_refused_and_reported(
    flow: http.HTTPFlow, place: str, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inject.PATIENCE_S", 0)
    leases = lent()
    await passed(leases, flow)
    assert flow.response is not None
    assert flow.response.status_code == 403
    [report] = leases.reports.values()
    assert (report["place"], report["secret"]) == (place, secret)
    assert VALUE not in json.dumps(report)
    assert VALUE.encode() not in flow.response.content if flow.response.content else True
    assert facts_of(flow).hidden == (place == "the address")


async def test_what_the_policy_denied_stays_denied_and_is_reported_all_the_same() -> None:
    leases = lent()
    flow = flow_with("evil.example", authorization=f"Bearer {PLACEHOLDER}")
    facts = facts_of(flow)
    facts.decision, facts.reason = "denied", "no-rule"
    flow.response = http.Response.make(403)
    await passed(leases, flow)
    assert len(leases.reports) == 1
    assert (facts.decision, facts.reason, facts.misused) == ("denied", "no-rule", "token")


async def test_a_lease_ends_by_the_clock_and_what_is_kept_of_it_is_still_looked_for() -> None:
    leases = lent(seconds=0)
    flow = await passed(leases, flow_with(authorization=f"Bearer {PLACEHOLDER}"))
    assert flow.response is not None
    assert flow.response.status_code == 503
    assert facts_of(flow).decision == "refused"
    assert leases.reports == {}
    assert (await passed(leases, flow_with(x=VALUE))).response is not None


async def test_a_rotation_gives_the_new_value_and_the_old_one_is_still_looked_for() -> None:
    leases = lent()
    leases.take(document(values=("another-v4lue",)))
    flow = await passed(leases, flow_with(authorization=f"Bearer {PLACEHOLDER}"))
    assert flow.request.headers["authorization"] == "Bearer another-v4lue"
    assert (await passed(leases, flow_with(x=VALUE))).response is not None
    leases.take(document(values=(), seconds=0))  # nothing can be read now: what was lent holds until its end
    flow = await passed(leases, flow_with(authorization=f"Bearer {PLACEHOLDER}"))
    assert flow.request.headers["authorization"] == "Bearer another-v4lue"
    leases.take({"leases": [], "watched": {}, "names": []})
    assert leases.finder is None


async def test_a_run_may_ask_before_the_proxy_has_heard_of_its_lease() -> None:
    leases = Leases()
    flow = flow_with(authorization=f"Bearer {PLACEHOLDER}")
    answer = Injection(leases).requestheaders(flow)
    assert answer is not None
    leases.take(document())
    await answer
    assert flow.request.headers["authorization"] == f"Bearer {VALUE}"


async def test_what_a_server_sends_back_of_a_secret_are_stars() -> None:
    injection = Injection(lent())
    flow = flow_with(authorization=f"Bearer {PLACEHOLDER}")
    injection.requestheaders(flow)
    flow.response = http.Response.make(200, b"", {"x-echo": f"you said {VALUE}"})
    injection.responseheaders(flow)
    assert flow.response.headers["x-echo"] == "you said " + "*" * len(VALUE)
    incoming = facts_of(flow).incoming
    assert incoming is not None
    text = f"before {VALUE} after".encode()
    assert b"".join(part for at in range(len(text)) for part in incoming(text[at : at + 1])) + b"".join(incoming(b"")) == text.replace(
        VALUE.encode(), b"*" * len(VALUE)
    )


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_a_body_is_watched_across_its_parts(size: int) -> None:
    finder = finder_of([(VALUE, VALUE_FOUND), (PLACEHOLDER, Found("token", "placeholder"))])
    assert finder is not None
    for hidden in (VALUE, PLACEHOLDER, base64.b64encode(f"u:{VALUE}!".encode()).decode()):
        for text, found in ((f"{'.' * 20}{hidden}{'.' * 20}", True), (f"{'.' * 20}{hidden[:-4]}{'.' * 20}", False)):
            hits: list[Found] = []
            body = watched(finder, hits.append)
            data = text.encode()
            parts = [data[at : at + size] for at in range(0, len(data), size)]
            sent = b"".join(each for part in [*parts, b""] for each in body(part))
            assert bool(hits) == found
            assert hidden.encode() not in sent
            assert found or sent == data


def test_many_needles_are_found_wherever_they_stand() -> None:
    random_ = random.Random(7)
    needles = {random_.randbytes(random_.randrange(8, 60)): Found(str(n), "value") for n in range(300)}
    finder = Finder(needles)
    for needle, found in needles.items():
        before = random_.randbytes(random_.randrange(40))
        hit = finder.find(before + needle + b"...")
        assert hit == (len(before), needle, found)
        assert finder.open_end(before + needle[:5]) >= 5
    assert finder.find(random_.randbytes(10_000)) is None


def test_a_text_is_looked_for_in_the_forms_that_it_takes() -> None:
    text = 'päss "w/0rd" +9'
    assert text.encode() in forms(text)
    finder = finder_of([(text, VALUE_FOUND)])
    assert finder is not None
    for hidden in (json.dumps({"a": text}), "x=p%C3%A4ss+%22w%2F0rd%22+%2B9", base64.b64encode(f"user:{text}".encode()).decode()):
        assert finder.find(hidden.encode()) is not None, hidden
    assert masked(finder)(b"nothing of it\n") == [b"nothing of it\n"]


async def test_the_orchestrator_is_heard_on_a_socket_and_told_of_misuse_until_it_has_answered(tmp_path: Path) -> None:
    leases = Leases()
    path = tmp_path / ("long" * 30) / "secrets.sock"  # more than the path of a socket may have
    await SecretsLine(str(path), leases).listen()
    assert path.stat().st_mode & 0o777 == 0o600
    folder = os.open(path.parent, os.O_RDONLY)
    near = f"/proc/self/fd/{folder}/secrets.sock"

    reader, writer = await asyncio.open_unix_connection(near)
    writer.write(json.dumps(document()).encode() + b"\n")
    await leases.changed.wait()
    flow = await passed(leases, flow_with(path=f"/?x={PLACEHOLDER}"))
    assert flow.response is not None
    told = json.loads(await reader.readline())
    assert list(told["misused"]) == [flow.id]
    writer.close()

    reader, writer = await asyncio.open_unix_connection(near)
    assert json.loads(await reader.readline()) == told
    writer.write(json.dumps({"heard": [flow.id]}).encode() + b"\n" + b"not JSON\n")
    assert await reader.read() == b""  # who talks nonsense is hung up on
    assert leases.reports == {}
    assert leases.finder is not None
    os.close(folder)
