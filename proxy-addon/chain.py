"""The add-ons as mitmproxy sees them: one, which asks them in turn. mitmproxy spends several microseconds on each of its add-ons for each
event, whether it listens or not; and goes on with the next where one fails, which here ends the request."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from mitmproxy import http
from mitmproxy.hooks import all_hooks
from mitmproxy.proxy import layers, server_hooks

Listener = Callable[..., Awaitable[None] | None]

HOOKS_COME_FROM = (layers, server_hooks)
"""Imported, so that `all_hooks` has them all."""


class Chain:
    """Has a hook of mitmproxy's where one of the add-ons has it."""

    def __init__(self, *addons: object) -> None:
        for event in all_hooks:
            listeners = [getattr(addon, event) for addon in addons if hasattr(addon, event)]
            if listeners:
                setattr(self, event, _in_turn(event, listeners))


def _in_turn(event: str, listeners: list[Listener]) -> Listener:
    if any(inspect.iscoroutinefunction(listener) for listener in listeners):

        async def ask_and_wait(*arguments: Any) -> None:
            for listener in listeners:
                try:
                    answer = listener(*arguments)
                    if answer is not None:
                        await answer
                except Exception:
                    _failed(event, arguments)

        return ask_and_wait

    def ask(*arguments: Any) -> None:
        for listener in listeners:
            try:
                listener(*arguments)
            except Exception:
                _failed(event, arguments)

    return ask


def _failed(event: str, arguments: tuple[Any, ...]) -> None:
    """Nothing is let out by an add-on that could not say whether it may."""
    logging.exception("an add-on failed at %s", event)
    subject = arguments[0] if arguments else None
    if isinstance(subject, server_hooks.ServerConnectionHookData):
        subject.server.error = "not allowed: an add-on of the egress proxy failed"
    elif isinstance(subject, http.HTTPFlow) and subject.killable:
        subject.kill()  # type: ignore[no-untyped-call]
