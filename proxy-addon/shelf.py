"""The files of the cache, one an address: the body, then what is known of it as JSON, then the length of that in eight bytes. A file is
written beside and renamed when it is whole, and looked through when it is read: nothing that is half or spoilt is ever handed out.
Used by cache.py; calls may come from any thread."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

PART = ".part"


@dataclass(frozen=True, slots=True)
class Entry:
    """What is kept of an address."""

    body: bytes
    headers: dict[str, str]


class Shelf:
    """At most `most_bytes` of files; those that were not used for longest go first."""

    def __init__(self, directory: str, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self._directory = Path(directory)
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._sizes: OrderedDict[str, int] = OrderedDict()
        found = []
        for file in self._directory.iterdir():
            if file.name.endswith(PART):
                file.unlink(missing_ok=True)
            else:
                stat = file.stat()
                found.append((stat.st_mtime, file.name, stat.st_size))
        for _, name, size in sorted(found):
            self._sizes[name] = size
        self._make_room()

    def read(self, url: str) -> Entry | None:
        """What is kept of it; a file that is not what it was is removed."""
        name = _name_of(url)
        with self._lock:
            if name not in self._sizes:
                return None
            self._sizes.move_to_end(name)
        file = self._directory / name
        try:
            content = file.read_bytes()
            length = int.from_bytes(content[-8:])
            about = json.loads(content[-8 - length : -8])
            body = content[: -8 - length]
            if about["url"] != url or about["sha256"] != hashlib.sha256(body).hexdigest():
                raise ValueError("not what was written")
            os.utime(file)
            return Entry(body, about["headers"])
        except (OSError, ValueError, KeyError, TypeError):
            with self._lock:
                self._remove(name)
            return None

    def write(self, url: str, length: int, headers: dict[str, str]) -> Writing:
        """Begins a file of so many bytes."""
        return Writing(self, self._directory / _name_of(url), url, length, headers)

    def put(self, file: Path, part: Path, size: int) -> None:
        """Takes a whole file in."""
        with self._lock:
            os.replace(part, file)
            self._sizes.pop(file.name, None)
            self._sizes[file.name] = size
            self._make_room()

    def _make_room(self) -> None:
        while self._sizes and sum(self._sizes.values()) > self.most_bytes:
            self._remove(next(iter(self._sizes)))

    def _remove(self, name: str) -> None:
        self._sizes.pop(name, None)
        with contextlib.suppress(OSError):
            (self._directory / name).unlink()


class Writing:
    """A file on its way. What goes wrong with it (no room on the disk) ends it, and nothing else."""

    def __init__(self, shelf: Shelf, file: Path, url: str, length: int, headers: dict[str, str]) -> None:
        self._shelf, self._file, self._url, self._left, self._headers = shelf, file, url, length, headers
        self._part = file.with_name(f"{file.name}-{os.urandom(4).hex()}{PART}")
        self._sha256, self._blake2b = hashlib.sha256(), hashlib.blake2b(digest_size=32)
        self._size = 0
        self._open = -1
        if length <= shelf.most_bytes:
            with contextlib.suppress(OSError):
                self._open = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)

    def add(self, data: bytes) -> None:
        """More of the body."""
        if self._open < 0:
            return
        self._sha256.update(data)
        self._blake2b.update(data)
        self._left -= len(data)
        self._write(data)

    def digests(self) -> dict[str, str]:
        """Of what was added; `blake2b` as PyPI writes it."""
        blake = self._blake2b.hexdigest()
        return {"sha256": self._sha256.hexdigest(), "blake2b": f"{blake[:2]}/{blake[2:4]}/{blake[4:]}"}

    def keep(self) -> None:
        """Takes it in, if all of it has come."""
        about = json.dumps({"url": self._url, "sha256": self._sha256.hexdigest(), "headers": self._headers}).encode()
        self._write(about + len(about).to_bytes(8))
        if self._open < 0 or self._left != 0:
            self.drop()
            return
        os.close(self._open)
        self._open = -1
        try:
            self._shelf.put(self._file, self._part, self._size)
        except OSError:
            self.drop()

    def drop(self) -> None:
        """Leaves nothing of it."""
        if self._open >= 0:
            os.close(self._open)
            self._open = -1
        with contextlib.suppress(OSError):
            self._part.unlink()

    def _write(self, data: bytes) -> None:
        if self._open < 0:
            return
        try:
            written = os.write(self._open, data)
        except OSError:
            written = -1
        self._size += len(data)
        if written != len(data):
            self.drop()


def _name_of(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()
