"""Finding secrets in bytes: the forms in which a value is looked for, many of them in one pass, and bodies that are looked through as they
go by. Standard library alone; used by leases.py and inject.py."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

BLOCK = 3
"""Bytes that are looked at in one step."""

LONGEST = 192
"""Of a longer value its beginning is looked for: as much is no accident."""

SHORTEST = 8


@dataclass(frozen=True, slots=True)
class Found:
    """What a needle belongs to."""

    secret: str
    kind: str
    """`value` or `placeholder`."""


def forms(value: str) -> set[bytes]:
    """As it stands, in base64 wherever it begins in it, in an address, and in JSON."""
    raw = value.encode()[:LONGEST]
    texts = {raw.decode(errors="ignore")} if len(raw) == LONGEST else {value}
    found = {raw}
    for text in texts:
        found.update(each.encode() for each in (quote(text, safe=""), quote_plus(text), quote(text)))
        found.update(json.dumps(text, ensure_ascii=ascii_only)[1:-1].encode() for ascii_only in (True, False))
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + raw)
        whole = encoded[(before * 8 + 5) // 6 : (before + len(raw)) * 8 // 6]
        found.update((whole, whole.translate(bytes.maketrans(b"+/", b"-_"))))
    return {each for each in found if len(each) >= SHORTEST}


class Finder:
    """Goes over bytes in steps of nearly the shortest needle (Wu and Manber's way), however many needles there are."""

    def __init__(self, needles: dict[bytes, Found]) -> None:
        self._needles = needles
        self._window = window = min(map(len, needles))
        self._longest = max(map(len, needles))
        self._steps: dict[bytes, int] = {}
        self._ending: dict[bytes, list[bytes]] = {}
        self._beginning: dict[bytes, list[bytes]] = {}
        for needle in needles:
            for end in range(BLOCK, window + 1):
                block = needle[end - BLOCK : end]
                self._steps[block] = min(self._steps.get(block, window), window - end)
            self._ending.setdefault(needle[window - BLOCK : window], []).append(needle)
            for length in range(1, BLOCK + 1):
                self._beginning.setdefault(needle[:length], []).append(needle)

    def find(self, data: bytes, start: int = 0) -> tuple[int, bytes, Found] | None:
        """The first needle from there on: where, which, and what it belongs to."""
        window, steps, size = self._window, self._steps, len(data)
        widest = window - BLOCK + 1
        end = start + window
        while end <= size:
            step = steps.get(data[end - BLOCK : end], widest)
            if step == 0:
                for needle in self._ending[data[end - BLOCK : end]]:
                    if data.startswith(needle, end - window):
                        return end - window, needle, self._needles[needle]
                step = 1
            end += step
        return None

    def open_end(self, data: bytes) -> int:
        """How many bytes at the end may be the beginning of a needle."""
        size = len(data)
        for at in range(max(0, size - self._longest + 1), size):
            for needle in self._beginning.get(data[at : at + BLOCK], ()):
                if needle.startswith(data[at:]):
                    return size - at
        return 0

    def mask(self, data: bytes) -> bytes:
        """Every needle replaced by as many stars."""
        at, parts = 0, []
        while (hit := self.find(data, at)) is not None:
            parts += [data[at : hit[0]], b"*" * len(hit[1])]
            at = hit[0] + len(hit[1])
        return b"".join([*parts, data[at:]]) if parts else data


def finder_of(secrets: Iterable[tuple[str, Found]]) -> Finder | None:
    """For texts in all their forms; None for none."""
    needles = {form: found for text, found in secrets for form in forms(text)}
    return Finder(needles) if needles else None


Body = Callable[[bytes], list[bytes]]
"""Takes a part of a body, and at its end nothing; gives what may go on. What may be the beginning of a needle waits for the next part."""


def watched(finder: Finder, hit: Callable[[Found], None]) -> Body:
    """Gives on nothing more once a needle was found."""
    kept = b""
    over = False

    def watch(data: bytes) -> list[bytes]:
        nonlocal kept, over
        if over:
            return []
        text = kept + data
        found = finder.find(text)
        if found is not None:
            over = True
            hit(found[2])
            return []
        size = len(text) - (finder.open_end(text) if data else 0)
        kept = text[size:]
        return [text[:size]] if size else []

    return watch


def masked(finder: Finder) -> Body:
    """Gives on stars for every needle."""
    kept = b""

    def mask(data: bytes) -> list[bytes]:
        nonlocal kept
        text = finder.mask(kept + data)
        size = len(text) - (finder.open_end(text) if data else 0)
        kept = text[size:]
        return [text[:size]] if size else []

    return mask
