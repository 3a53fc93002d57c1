"""The cache: what is kept, what never is, what a crash or a full disk does to it."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
from pathlib import Path

import pytest
from mitmproxy import http
from mitmproxy.test import tflow

from cache import Cache
from facts import facts_of
from immutable import Immutable, is_what_it_says
from shelf import Shelf

TARBALL = "/left-pad/-/left-pad-1.3.0.tgz"
BODY = b"the archive" * 1000


@pytest.mark.parametrize(
    ("address", "covered"),
    [
        ("registry.npmjs.org" + TARBALL, True),
        ("registry.npmjs.org/@types/node/-/node-20.1.0.tgz", True),
        ("registry.npmjs.org/left-pad", False),
        ("registry.npmjs.org/left-pad/latest", False),
        ("registry.npmjs.org" + TARBALL + "?x=1", False),
        ("evil.example" + TARBALL, False),
        ("files.pythonhosted.org/packages/ab/cd/" + "0" * 60 + "/tiny-1.0-py3-none-any.whl", True),
        ("files.pythonhosted.org/packages/source/t/tiny/tiny-1.0.tar.gz", False),
        ("pypi.org/simple/tiny/", False),
        ("deb.debian.org/debian/pool/main/c/curl/curl_7.88.1-10_amd64.deb", True),
        ("deb.debian.org/debian/dists/bookworm/InRelease", False),
        ("deb.debian.org/debian/dists/bookworm/main/binary-amd64/by-hash/SHA256/" + "a" * 64, True),
        ("static.crates.io/crates/serde/serde-1.0.0.crate", True),
        ("static.crates.io/crates/serde/1.0.0/download", True),
        ("index.crates.io/se/rd/serde", False),
        ("proxy.golang.org/github.com/!burnt!sushi/toml/@v/v1.3.2.zip", True),
        ("proxy.golang.org/github.com/x/y/@v/list", False),
        ("proxy.golang.org/github.com/x/y/@latest", False),
        ("repo1.maven.org/maven2/junit/junit/4.13/junit-4.13.jar", True),
        ("repo1.maven.org/maven2/junit/junit/maven-metadata.xml", False),
        ("repo1.maven.org/maven2/a/b/1.0-SNAPSHOT/b-1.0-SNAPSHOT.jar", False),
        ("registry.npmjs.org/" + "-1" * 8000 + "/-/x.tgz", False),
    ],
)
def test_what_never_changes_is_known_by_its_address(address: str, covered: bool) -> None:
    host, _, path = address.partition("/")
    assert Immutable([]).covers(host, 443, f"/{path}") == covered


def test_a_mirror_has_addresses_of_every_kind_at_its_own_port() -> None:
    table = Immutable(["npm.corp.example", "npm.corp.example:8443"])
    assert table.covers("NPM.corp.example", 443, TARBALL)
    assert table.covers("npm.corp.example", 8443, TARBALL)
    assert not table.covers("npm.corp.example", 9443, TARBALL)
    assert not table.covers("registry.npmjs.org", 8443, TARBALL)


def test_content_is_that_of_the_digest_in_its_address() -> None:
    blake = hashlib.blake2b(BODY, digest_size=32).hexdigest()
    digests = {"sha256": hashlib.sha256(BODY).hexdigest(), "blake2b": f"{blake[:2]}/{blake[2:4]}/{blake[4:]}"}
    assert is_what_it_says(f"/packages/{digests['blake2b']}/x.whl", digests)
    assert not is_what_it_says("/packages/00/00/" + "0" * 60 + "/x.whl", digests)
    assert is_what_it_says(f"/debian/dists/x/by-hash/SHA256/{digests['sha256']}", digests)
    assert not is_what_it_says("/debian/dists/x/by-hash/SHA256/" + "0" * 64, digests)
    assert is_what_it_says(TARBALL, digests)


def asking(path: str = TARBALL, **headers: str) -> http.HTTPFlow:
    flow = tflow.tflow(req=http.Request.make("GET", f"https://registry.npmjs.org{path}"))
    for name, value in headers.items():
        flow.request.headers[name.replace("_", "-")] = value
    facts_of(flow).decision = "allowed"
    flow.server_conn.timestamp_tls_setup = 1.0
    return flow


def answered(cache: Cache, flow: http.HTTPFlow, body: bytes = BODY, **headers: str) -> http.HTTPFlow:
    """The answer as it comes from outside, in parts."""
    flow.response = http.Response.make(int(headers.pop("status", "200")), body)
    for name, value in headers.items():
        flow.response.headers[name.replace("_", "-")] = value
    cache.responseheaders(flow)
    tap = facts_of(flow).tap
    flow.response.stream = True
    if tap is not None:
        for at in range(0, len(body), 1000):
            tap(body[at : at + 1000])
    cache.response(flow)
    return flow


async def fetch(cache: Cache, flow: http.HTTPFlow, body: bytes = BODY, **headers: str) -> str | None:
    await cache.requestheaders(flow)
    if flow.response is None:
        answered(cache, flow, body, **headers)
    return facts_of(flow).cache


def files(directory: Path) -> list[Path]:
    return sorted(directory.iterdir())


def cache_in(directory: Path, most: int = 1 << 20) -> Cache:
    return Cache(Shelf(str(directory), most), Immutable([]))


async def test_what_came_once_is_a_hit_for_whoever_is_allowed_and_after_a_new_start(tmp_path: Path) -> None:
    cache = cache_in(tmp_path)
    assert await fetch(cache, asking(), content_type="application/gzip", etag='"1"') == "miss"
    for each in (cache, cache_in(tmp_path)):
        flow = asking()
        assert await fetch(each, flow) == "hit"
        assert flow.response is not None
        assert flow.response.raw_content == BODY
        assert flow.response.headers["content-type"] == "application/gzip"
        known = asking(if_none_match='"1"')
        assert await fetch(each, known) == "hit"
        assert known.response is not None
        assert known.response.status_code == 304
    denied = asking()
    facts_of(denied).decision = "denied"
    await cache.requestheaders(denied)
    assert denied.response is None


@pytest.mark.parametrize("header", ["authorization", "cookie", "private_token", "x_api_key", "range"])
async def test_what_is_asked_for_with_credentials_or_in_part_is_neither_kept_nor_answered(header: str, tmp_path: Path) -> None:
    cache = cache_in(tmp_path)
    assert await fetch(cache, asking(**{header: "x"})) is None
    assert await fetch(cache, asking()) == "miss"
    assert await fetch(cache, asking(**{header: "x"})) is None


@pytest.mark.parametrize(
    "answer",
    [
        {"set_cookie": "a=b"},
        {"cache_control": "private, max-age=1"},
        {"cache_control": "no-store"},
        {"content_encoding": "gzip"},
        {"content_range": "bytes 0-1/2"},
        {"vary": "*"},
        {"status": "206"},
        {"status": "404"},
    ],
)
async def test_answers_that_are_not_for_everybody_are_not_kept(answer: dict[str, str], tmp_path: Path) -> None:
    cache = cache_in(tmp_path)
    await fetch(cache, asking(), BODY, **answer)
    assert await fetch(cache, asking()) == "miss"


async def test_without_tls_that_was_checked_or_with_a_secret_of_ours_nothing_is_kept(tmp_path: Path) -> None:
    cache = cache_in(tmp_path)
    plain = asking()
    plain.server_conn.timestamp_tls_setup = None
    await fetch(cache, plain)
    lent = asking()
    await cache.requestheaders(lent)
    facts_of(lent).injected = ["token"]
    answered(cache, lent)
    assert files(tmp_path) == []


async def test_what_broke_off_or_came_short_is_not_kept(tmp_path: Path) -> None:
    cache = cache_in(tmp_path)
    flow = asking()
    await cache.requestheaders(flow)
    flow.response = http.Response.make(200, BODY)
    cache.responseheaders(flow)
    tap = facts_of(flow).tap
    assert tap is not None
    tap(BODY[:10])
    assert [file.suffix for file in files(tmp_path)] == [".part"]
    cache.error(flow)
    await fetch(cache, asking(), content_length=str(len(BODY) + 1))
    assert files(tmp_path) == []


async def test_a_file_that_was_spoilt_and_one_that_a_crash_left_are_removed(tmp_path: Path) -> None:
    await fetch(cache_in(tmp_path), asking())
    (tmp_path / "left.part").write_bytes(b"half")
    cache = cache_in(tmp_path)
    [file] = files(tmp_path)
    file.write_bytes(b"X" + file.read_bytes()[1:])
    assert await fetch(cache, asking()) == "miss"
    assert await fetch(cache, asking()) == "hit"
    file.write_bytes(b"")
    assert await fetch(cache, asking()) == "miss"


async def test_what_was_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    cache = cache_in(tmp_path, 3 * len(BODY))
    for name in ("a-1", "b-1", "a-1", "c-1"):
        await fetch(cache, asking(f"/x/-/{name}.tgz"))
    found = {name: await fetch(cache, asking(f"/x/-/{name}.tgz"), status="404") for name in ("a-1", "b-1", "c-1")}
    assert found == {"a-1": "hit", "b-1": "miss", "c-1": "hit"}
    assert sum(file.stat().st_size for file in files(tmp_path)) <= 3 * len(BODY)


async def test_a_full_disk_keeps_nothing_and_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = cache_in(tmp_path)

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        assert await fetch(cache, asking()) == "miss"
    assert files(tmp_path) == []
    assert await fetch(cache, asking()) == "miss"


async def test_of_many_who_ask_at_once_one_goes_out(tmp_path: Path) -> None:
    cache = cache_in(tmp_path)
    first, *others = [asking() for _ in range(5)]
    await cache.requestheaders(first)
    waiting = [asyncio.create_task(fetch(cache, flow)) for flow in others]
    answered(cache, first)
    assert await asyncio.gather(*waiting) == ["hit"] * 4


async def test_when_the_one_that_went_out_fails_the_others_go_themselves(tmp_path: Path) -> None:
    cache = cache_in(tmp_path)
    first, second = asking(), asking()
    await cache.requestheaders(first)
    waiting = asyncio.create_task(fetch(cache, second))
    cache.error(first)
    assert await waiting == "miss"
    assert await fetch(cache, asking()) == "hit"
