"""Passes TLS that the policy says not to look into (`pass host=…`), for clients that know the certificate of their server by heart: the
server name of the ClientHello, the host of the tunnel and the address that was checked are the same, and no more can be known of it.
What is not passed is looked into as everything else."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass

from mitmproxy import tcp
from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.layers import ServerTLSLayer, TCPLayer
from mitmproxy.proxy.layers.tcp import TcpEndHook
from mitmproxy.proxy.layers.tls import parse_client_hello

from enforce import Enforcement, Unseen
from facts import Identity, listener_of
from identity import IdentityCheck
from limits import Limit, Limits
from logger import stamp
from redact import shown_text
from spool import Spool, SpoolFull
from transparent import Workers

STOPPED = "autocode stopped"  # in the metadata of a flow


@dataclass
class Passing:
    """One connection that goes through."""

    record: dict[str, object]
    unseen: Unseen
    began: float
    bytes_out: int = 0
    bytes_in: int = 0
    error: str | None = None


class PassedLayer(TCPLayer):
    """Closes both ends as soon as nothing more may go through: a client in the middle of its handshake would wait for minutes."""

    def relay_messages(self, event: events.Event) -> layer.CommandGenerator[None]:
        yield from super().relay_messages(event)
        if self.flow is None or not self.flow.live or not self.flow.metadata.get(STOPPED):
            return
        self.flow.live = False
        self._handle_event = self.done
        yield commands.CloseConnection(self.context.server)
        yield commands.CloseConnection(self.context.client)
        yield TcpEndHook(self.flow)


class Pinned:
    """Asks identity and enforcement as for a request; its records are those of a request that nobody saw."""

    def __init__(self, identities: IdentityCheck, enforcement: Enforcement, workers: Workers, limits: Limits, spool: Spool) -> None:
        self._identities = identities
        self._enforcement = enforcement
        self._workers = workers
        self._limits = limits
        self._spool = spool
        self._begun: dict[str, Passing] = {}

    async def next_layer(self, next_: layer.NextLayer) -> None:
        """Puts the connection through instead of the layer that would look into it; waits for the whole of the ClientHello."""
        client, target = next_.context.client, next_.context.server.address
        if not isinstance(next_.layer, ServerTLSLayer) or target is None:
            return
        try:
            hello = parse_client_hello(next_.data_client())  # type: ignore[no-untyped-call]
        except ValueError:
            return
        if hello is None:
            next_.layer = None
            return
        listener = listener_of(client)
        if listener == "transparent":
            who: Identity | None = self._workers.at(client)
            host = hello.sni or target[0]  # the address that the client had meant to reach gains nothing
        else:
            who, host = await self._identities.in_tunnel(client), target[0]
        port = target[1]
        unseen = None if who is None else await self._enforcement.passes(client, (host, port), hello.sni, who)
        if who is None or unseen is None:
            return
        now = time.time()
        record: dict[str, object] = {
            "id": str(uuid.uuid4()),
            "at": stamp(now),
            "run": who.run,
            "task": who.task,
            "project": who.project,
            "kind": who.kind,
            "worker": who.worker,
            "listener": listener,
            "client": client.peername[0] if client.peername else None,
            "method": "CONNECT",
            "scheme": "https",
            "host": shown_text(host),
            "port": port,
            "url": f"https://{shown_text(host)}{'' if port == 443 else f':{port}'}/",
            "address": unseen.address,
            "decision": "allowed",
            "rule": unseen.rule,
            "reason": "rule",
            "policy": unseen.policy,
            "tls": "passed",
        }
        passing = Passing(record, unseen, now)
        try:
            self._limits.begin(client.id, who, host, passing)
            self._spool.begin({**record, "event": "open"})
        except (Limit, SpoolFull):
            self._limits.end(client.id)
            return  # it is looked into, and ends there
        self._begun[client.id] = passing
        next_.context.server.address = (host, port)
        next_.layer = PassedLayer(next_.context)

    def tcp_message(self, flow: tcp.TCPFlow) -> None:
        """Counts, lets go of it, and lets nothing more through for a run that has ended or a rule that is gone."""
        passing = self._begun.get(flow.client_conn.id)
        message = flow.messages[-1]
        flow.messages.clear()
        if passing is None or passing.error is not None:
            self._stop(flow, message)
        elif listener_of(flow.client_conn) == "explicit" and not self._identities.lives(flow.client_conn):
            passing.error = "the run has ended"
            self._stop(flow, message)
        elif not self._enforcement.still_passes(passing.unseen):
            passing.error = "the policy has changed"
            self._stop(flow, message)
        elif message.from_client:
            passing.bytes_out += len(message.content)
        else:
            passing.bytes_in += len(message.content)

    @staticmethod
    def _stop(flow: tcp.TCPFlow, message: tcp.TCPMessage) -> None:
        message.content = b""
        flow.metadata[STOPPED] = True

    def tcp_end(self, flow: tcp.TCPFlow) -> None:
        """Writes `close`."""
        self._close(flow, None)

    def tcp_error(self, flow: tcp.TCPFlow) -> None:
        """Writes `close` of what could not be reached."""
        self._close(flow, None if flow.error is None else shown_text(flow.error.msg))

    def _close(self, flow: tcp.TCPFlow, error: str | None) -> None:
        passing = self._begun.pop(flow.client_conn.id, None)
        if passing is None:
            return
        self._limits.end(flow.client_conn.id)
        self._spool.end(
            {
                **passing.record,
                "event": "close",
                "bytesOut": passing.bytes_out,
                "bytesIn": passing.bytes_in,
                "durationMs": round(1000 * (time.time() - passing.began), 1),
                "error": passing.error or error,
            }
        )
