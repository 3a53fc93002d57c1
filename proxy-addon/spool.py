"""The spool: records of traffic as lines of JSON, appended to one file an hour. The event loop only hands lines to the kernel; a
thread brings them to the disk. The orchestrator reads the files and removes old ones."""

from __future__ import annotations

import errno
import json
import os
import threading
import time
from collections import deque
from datetime import UTC, datetime

WEIGH_EVERY_S = 2.0
SYNC_EVERY_S = 0.2
KEPT_BACK = 10_000
RESERVE = 1 << 20
"""Room that is left for the ends of requests that were let out."""


# orchestrator/egress/traffic/glance.ts takes fields out of lines of this form: no blanks, no objects inside.
ENCODE = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False).encode


class SpoolFull(Exception):
    """There is no room for another record."""


class Spool:
    """One writer a directory."""

    def __init__(self, directory: str, limit: int) -> None:
        os.makedirs(directory, mode=0o750, exist_ok=True)
        self._directory = directory
        self._limit = limit
        self._file = -1
        self._hour = -1
        self._bytes = 0
        self._weighed = -WEIGH_EVERY_S
        self._late: deque[bytes] = deque(maxlen=KEPT_BACK)
        self._lock = threading.Lock()
        self._dirty = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sync, name="spool", daemon=True)
        self._thread.start()

    def begin(self, record: dict[str, object]) -> None:
        """Appends the record of a request before it is let out. SpoolFull when there is no room: it must not be."""
        line = _line(record)
        if self._weigh() + len(line) + RESERVE > self._limit:
            raise SpoolFull(f"the spool has reached its {self._limit} bytes")
        self._catch_up()
        self._append(line)

    def end(self, record: dict[str, object]) -> None:
        """Appends a record of what has happened. Without room it is kept back until there is some."""
        line = _line(record)
        try:
            self._catch_up()
            self._append(line)
        except SpoolFull:
            self._late.append(line)

    def close(self) -> None:
        """Brings all to the disk."""
        self._ended.set()
        self._dirty.set()
        self._thread.join(timeout=5)
        if self._file >= 0:
            os.fsync(self._file)

    def _catch_up(self) -> None:
        while self._late:
            self._append(self._late[0])
            self._late.popleft()

    def _append(self, line: bytes) -> None:
        try:
            with self._lock:
                self._open()
                written = os.write(self._file, line)
                if written < len(line):
                    os.ftruncate(self._file, os.fstat(self._file).st_size - written)
                    raise OSError(errno.ENOSPC, "no space left for a whole record")
        except OSError as error:
            raise SpoolFull(str(error)) from error
        self._bytes += len(line)
        self._dirty.set()

    def _open(self) -> None:
        hour = int(time.time() // 3600)
        if hour == self._hour:
            return
        name = datetime.fromtimestamp(3600 * hour, UTC).strftime("%Y-%m-%dT%H.jsonl")
        file = os.open(os.path.join(self._directory, name), os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o640)
        size = os.fstat(file).st_size
        if size > 0 and os.pread(file, 1, size - 1) != b"\n":
            os.write(file, b"\n")  # a half line of a proxy that was killed; readers pass over it
        if self._file >= 0:
            os.fsync(self._file)
            os.close(self._file)
        self._file, self._hour = file, hour

    def _weigh(self) -> int:
        now = time.monotonic()
        if now - self._weighed >= WEIGH_EVERY_S:
            self._weighed = now
            with os.scandir(self._directory) as entries:
                self._bytes = sum(entry.stat().st_size for entry in entries if entry.name.endswith(".jsonl"))
        return self._bytes

    def _sync(self) -> None:
        while not self._ended.is_set():
            self._dirty.wait()
            self._dirty.clear()
            with self._lock:
                file = os.dup(self._file) if self._file >= 0 else -1
            if file >= 0:
                os.fsync(file)
                os.close(file)
            self._ended.wait(SYNC_EVERY_S)  # many records a time cost no more than one


def _line(record: dict[str, object]) -> bytes:
    return ENCODE(record).encode("utf-8", "replace") + b"\n"
