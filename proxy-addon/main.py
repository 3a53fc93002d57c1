"""The add-ons of the egress proxy, in their order: whose request it is, whether it may leave, its record, then its bodies.
Loaded by mitmdump (`-s main.py`); orchestrator/egress/mitmdump.ts has the options that belong to it."""

from __future__ import annotations

from mitmproxy import ctx
from mitmproxy.addonmanager import Loader

from chain import Chain
from enforce import Enforcement
from identity import IdentityCheck
from logger import AutocodeLogger
from resolver import Resolver
from spool import Spool
from streaming import Streaming

UNUSED = (
    *("anticache", "anticomp", "blocklist", "comment", "cut", "export", "onboarding", "proxyauth", "serverplayback"),
    *("mapremote", "maplocal", "modifybody", "modifyheaders", "stickyauth", "stickycookie", "save", "savehar"),
    *("upstreamauth", "updatealtsvc", "dumper", "browseraddon", "command_history", "commandhistory"),
)
"""What mitmproxy comes with and does nothing without options that are not set here; asking each at every event costs more than the
add-ons of this folder."""


class Autocode:
    """Adds the others once their options are known."""

    def load(self, loader: Loader) -> None:
        """The options."""
        loader.add_option("autocode_identities", str, "", "File with the identities of live runs.")
        loader.add_option("autocode_policy", str, "", "File with the policy.")
        loader.add_option("autocode_spool", str, "", "Directory for the records.")
        loader.add_option("autocode_spool_bytes", int, 0, "Most that the records may take.")

    def running(self) -> None:
        """The first request comes later."""
        options = ctx.options
        chain = Chain(
            IdentityCheck(options.autocode_identities),
            Enforcement(options.autocode_policy, Resolver()),
            AutocodeLogger(Spool(options.autocode_spool, options.autocode_spool_bytes)),
            Streaming(),
        )
        for name in UNUSED:
            if (unused := ctx.master.addons.get(name)) is not None:  # type: ignore[no-untyped-call]
                ctx.master.addons.remove(unused)  # type: ignore[no-untyped-call]
        ctx.master.addons.add(chain)  # type: ignore[no-untyped-call]


addons = [Autocode()]
