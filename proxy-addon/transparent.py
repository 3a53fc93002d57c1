"""Requests by the transparent listener, where the firewall leads what workers send to ports 80 and 443 of wherever. Of such a client the
address is known and nothing else: no run, so no project. The name that it asks for decides, and is looked up by the proxy itself: the
address that the client had meant to reach gains nothing, and is only asked for where there is no name."""

from __future__ import annotations

import json

from mitmproxy import connection, http

from canonical import split_port
from facts import Identity, facts_of, listener_of
from watched_file import WatchedFile


def read_workers(path: str) -> dict[str, str]:
    """From `{"<address>": "<name of the one worker there>"}`."""
    with open(path, encoding="utf-8") as file:
        return {str(address): str(worker) for address, worker in json.load(file).items()}


class Workers:
    """Who is at which address, by the file that the orchestrator keeps."""

    def __init__(self, path: str) -> None:
        self._workers: WatchedFile[dict[str, str]] = WatchedFile(path, read_workers, {})

    def at(self, client: connection.Client) -> Identity:
        """Whose traffic it is."""
        worker = self._workers.value().get(client.peername[0]) if client.peername else None
        return Identity(run=None, task=None, project=None, kind=None, worker=worker)


class Transparent:
    """Before the check of identities, which is for the explicit listener."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Fills in `facts.identity`, and whom the request is for."""
        if listener_of(flow.client_conn) != "transparent":
            return
        facts_of(flow).identity = self._workers.at(flow.client_conn)
        for header in ("proxy-authorization", "proxy-connection"):
            flow.request.headers.pop(header, None)
        name = name_in(flow)
        if name:
            flow.request.data.host = name  # the property would write it into the Host header, which is still to be compared


def name_in(flow: http.HTTPFlow) -> str | None:
    """The name that is asked for: of TLS that in its greeting, else that of the Host header."""
    if flow.request.scheme == "https":
        return flow.client_conn.sni
    return split_port(flow.request.headers.get("host", ""))[0]
