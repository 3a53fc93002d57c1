"""Addresses whose content never changes, by the rules of their registries: what was published under a version is never published again.
Used by cache.py."""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST = 500


@dataclass(frozen=True, slots=True)
class Shape:
    """The hosts of a registry, and what its addresses that never change look like; a group named for a digest is that of the content."""

    hosts: frozenset[str]
    path: re.Pattern[str]


def _shape(hosts: str, path: str) -> Shape:
    return Shape(frozenset(hosts.split()), re.compile(path))


_N = r"[\w.@+~%-]+"
_V = r"\d[\w.@+~%-]*"
_DEBIAN = "deb.debian.org security.debian.org"
SHAPES = (
    _shape("registry.npmjs.org registry.yarnpkg.com", rf"/(?:{_N}/)?{_N}/-/{_N}-{_V}\.tgz"),
    _shape("files.pythonhosted.org", rf"/packages/(?P<blake2b>[0-9a-f]{{2}}/[0-9a-f]{{2}}/[0-9a-f]{{60}})/{_N}"),
    _shape(_DEBIAN, rf"/[\w-]+/pool/(?:{_N}/)+{_N}_{_N}\.(?:deb|dsc|tar\.\w+)"),
    _shape(_DEBIAN, rf"/(?:{_N}/)+by-hash/SHA256/(?P<sha256>[0-9a-f]{{64}})"),
    _shape("static.crates.io", rf"/crates/{_N}/(?:{_N}-{_V}\.crate|{_V}/download)"),
    _shape("proxy.golang.org", rf"/(?:[\w.!~%-]+/)+@v/v{_V}\.(?:zip|mod|info)"),
    _shape("repo1.maven.org repo.maven.apache.org", rf"/maven2/(?:{_N}/)+(?!{_N}-SNAPSHOT/){_V}/{_N}\.(?:jar|pom|war|aar|module)"),
)


class Immutable:
    """The table; `mirrors` (host or host:port) are registries of each of its kinds."""

    def __init__(self, mirrors: list[str]) -> None:
        self._mirrors = frozenset(mirror.lower() for mirror in mirrors)

    def covers(self, host: str, port: int, path: str) -> bool:
        """Whether what is there never changes."""
        place = host.lower()
        mirrored = f"{place}:{port}" in self._mirrors or (port == 443 and place in self._mirrors)
        return len(path) <= LONGEST and any(
            (mirrored or (port == 443 and place in shape.hosts)) and shape.path.fullmatch(path) is not None for shape in SHAPES
        )


def is_what_it_says(path: str, digests: dict[str, str]) -> bool:
    """Whether content with these digests (`sha256`; `blake2b` as PyPI writes it) is that of its address, where that names one."""
    for shape in SHAPES:
        found = shape.path.fullmatch(path)
        named = {} if found is None else found.groupdict()
        if any(digests[kind] != wanted for kind, wanted in named.items()):
            return False
    return True
