"""TLS that is passed by the transparent listener. By the explicit one: test/integration/egress-passed.test.ts."""

from __future__ import annotations

import json
import ssl
from pathlib import Path

import pytest
from mitmproxy import connection, options
from mitmproxy.proxy import context, events, layer
from mitmproxy.proxy.layers import ClientTLSLayer, ServerTLSLayer, TCPLayer
from mitmproxy.proxy.mode_specs import ProxyMode
from mitmproxy.proxy.server_hooks import ServerConnectionHookData

from enforce import Enforcement
from identity import IdentityCheck
from limits import Limits
from pinned import Pinned
from resolver import Resolver
from spool import Spool
from transparent import Workers

HERE = "10.9.0.2"


def greeting(name: str) -> bytes:
    """A ClientHello."""
    coming, going = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        ssl.create_default_context().wrap_bio(coming, going, server_hostname=name).do_handshake()
    return going.read()


def meeting(data: bytes) -> layer.NextLayer:
    """The moment when mitmproxy would look into a connection of a worker, to an address that it has meant."""
    client = connection.Client(peername=(HERE, 5000), sockname=("203.0.113.7", 443), proxy_mode=ProxyMode.parse("transparent"))
    there = context.Context(client, options.Options())
    there.server.address = ("203.0.113.7", 443)
    next_ = layer.NextLayer(there)
    next_.events.append(events.DataReceived(client, data))
    next_.layer = ServerTLSLayer(there)
    next_.layer.child_layer = ClientTLSLayer(there)
    return next_


def pinned_in(directory: Path) -> tuple[Pinned, Enforcement]:
    async def lookup(_host: str) -> list[str]:
        return ["93.184.216.34"]

    (directory / "policy").write_text(json.dumps({"version": "1", "rules": ["pass host=pinned.example"], "recording": {}}))
    (directory / "workers").write_text(json.dumps({HERE: "vm-1"}))
    enforcement = Enforcement(str(directory / "policy"), Resolver(lookup))
    identities = IdentityCheck(str(directory / "identities"))
    workers = Workers(str(directory / "workers"))
    return Pinned(identities, enforcement, workers, Limits(""), Spool(str(directory / "spool"), 1 << 30)), enforcement


async def test_a_worker_gets_to_the_name_that_it_greets_and_to_the_address_that_was_checked(tmp_path: Path) -> None:
    pinned, enforcement = pinned_in(tmp_path)
    next_ = meeting(greeting("pinned.example"))
    await pinned.next_layer(next_)
    assert isinstance(next_.layer, TCPLayer)
    data = ServerConnectionHookData(next_.context.server, next_.context.client)
    enforcement.server_connect(data)
    assert data.server.error is None
    assert data.server.address == ("93.184.216.34", 443)
    [file] = (tmp_path / "spool").glob("*.jsonl")
    record = json.loads(file.read_text())
    assert (record["worker"], record["listener"], record["host"], record["tls"]) == ("vm-1", "transparent", "pinned.example", "passed")


async def test_what_is_not_passed_is_looked_into_and_half_a_greeting_is_waited_for(tmp_path: Path) -> None:
    pinned, _ = pinned_in(tmp_path)
    other = meeting(greeting("other.example"))
    await pinned.next_layer(other)
    assert isinstance(other.layer, ServerTLSLayer)
    half = meeting(greeting("pinned.example")[:40])
    await pinned.next_layer(half)
    assert half.layer is None
    broken = meeting(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00")
    await pinned.next_layer(broken)
    assert isinstance(broken.layer, ServerTLSLayer)
