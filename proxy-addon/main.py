"""The add-ons of the egress proxy, in their order: whose request it is, whether it may leave, its record, then its bodies.
Loaded by mitmdump (`-s main.py`); orchestrator/egress/mitmdump.ts has the options that belong to it."""

from __future__ import annotations

from mitmproxy import connection, ctx
from mitmproxy.addonmanager import Loader

from cache import Cache
from chain import Chain
from ending import Ending
from enforce import Enforcement
from identity import IdentityCheck
from immutable import Immutable
from inject import Injection
from leases import Leases
from limits import Limits
from logger import AutocodeLogger
from names import Names
from pinned import Pinned
from resolver import Resolver
from secrets_line import SecretsLine
from shelf import Shelf
from spool import Spool
from streaming import Streaming
from transparent import Transparent, Workers

UNUSED = (
    *("anticache", "anticomp", "blocklist", "comment", "cut", "export", "onboarding", "proxyauth", "serverplayback"),
    *("mapremote", "maplocal", "modifybody", "modifyheaders", "stickyauth", "stickycookie", "save", "savehar"),
    *("upstreamauth", "updatealtsvc", "dumper", "browser", "commandhistory"),
    "dnsresolver",  # it would look up whatever it is asked for, before anybody else is asked
)
"""What mitmproxy comes with and does nothing without options that are not set here; asking each at every event costs more than the
add-ons of this folder."""


class Autocode:
    """Adds the others once their options are known."""

    def __init__(self) -> None:
        self._ready = False

    def load(self, loader: Loader) -> None:
        """The options."""
        loader.add_option("autocode_cache", str, "", "Directory for downloads that never change.")
        loader.add_option("autocode_cache_bytes", int, 0, "Most that they may take; 0: none is kept.")
        loader.add_option("autocode_cache_mirrors", str, "", "Registries beside the public ones, with commas.")
        loader.add_option("autocode_identities", str, "", "File with the identities of live runs.")
        loader.add_option("autocode_limits", str, "", "How much may go out, as JSON.")
        loader.add_option("autocode_policy", str, "", "File with the policy.")
        loader.add_option("autocode_secrets", str, "", "Socket on which the orchestrator says what is lent to runs.")
        loader.add_option("autocode_spool", str, "", "Directory for the records.")
        loader.add_option("autocode_spool_bytes", int, 0, "Most that the records may take.")
        loader.add_option("autocode_workers", str, "", "File with the workers at each address.")

    def client_connected(self, client: connection.Client) -> None:
        """mitmproxy listens before it says that it runs: nobody gets past add-ons that are not there yet."""
        if not self._ready:
            client.error = "the proxy is not ready yet"

    async def running(self) -> None:
        """The first request comes later."""
        options = ctx.options
        leases = Leases()
        if options.autocode_secrets:
            await SecretsLine(options.autocode_secrets, leases).listen()
        identities = IdentityCheck(options.autocode_identities)
        enforcement = Enforcement(options.autocode_policy, Resolver())
        spool = Spool(options.autocode_spool, options.autocode_spool_bytes)
        workers = Workers(options.autocode_workers)
        logger = AutocodeLogger(spool)
        limits = Limits(options.autocode_limits)
        shelf = Shelf(options.autocode_cache, options.autocode_cache_bytes) if options.autocode_cache_bytes else None
        mirrors = Immutable(options.autocode_cache_mirrors.split(","))
        chain = Chain(
            Transparent(workers),
            identities,
            Pinned(identities, enforcement, workers, limits, spool),
            enforcement,
            limits,
            Cache(shelf, mirrors),
            Injection(leases),
            logger,
            Streaming(),
            Ending(limits.ended, logger.ended),
            Names(workers, enforcement, spool),
        )
        for name in UNUSED:
            if (unused := ctx.master.addons.get(name)) is not None:  # type: ignore[no-untyped-call]
                ctx.master.addons.remove(unused)  # type: ignore[no-untyped-call]
        ctx.master.addons.add(chain)  # type: ignore[no-untyped-call]
        self._ready = True


addons = [Autocode()]
