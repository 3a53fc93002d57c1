"""A JSON file that the orchestrator replaces whole; read again when it has changed. Used for identities and policy."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")

LOOK_EVERY_S = 0.25


class WatchedFile(Generic[Value]):
    """`value` is what the file last said; a file that cannot be read leaves the value from before, or the fallback at first."""

    def __init__(self, path: str, read: Callable[[str], Value], fallback: Value) -> None:
        self._path = path
        self._read = read
        self._value = fallback
        self._seen: tuple[int, int, int] | None = None
        self._looked = 0.0

    def value(self, fresh: bool = False) -> Value:
        """What it says; `fresh` looks at the file whenever it was last looked at."""
        now = time.monotonic()
        if not fresh and now - self._looked < LOOK_EVERY_S:
            return self._value
        self._looked = now
        try:
            stat = os.stat(self._path)
            seen = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
            if seen != self._seen:
                self._value = self._read(self._path)
                self._seen = seen
        except (OSError, ValueError, KeyError, TypeError) as error:
            if self._seen is not None or not isinstance(error, FileNotFoundError):
                logging.warning("%s cannot be read, what it said before holds: %s", self._path, error)
        return self._value
