"""One spelling for hosts, addresses and paths, or none where servers would understand different things by them.

Used by policy.py and refusal.py; the same as host.ts, address.ts and path.ts in orchestrator/egress/policy/.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def split_port(text: str) -> tuple[str, int | None]:
    """`name:port` and `[address]:port`; the port is -1 where it is no number, which fits none."""
    found = re.fullmatch(r"([^:]*|\[[^\]]*\]):([^:]*)", text)
    if found is None:
        return text, None
    return found[1], int(found[2]) if re.fullmatch(r"[0-9]{1,5}", found[2]) else -1


_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


def read_host(text: str) -> str | Address | None:
    """A name in small letters or an address; None for what is neither, as an address in octal, or as one number."""
    return _host_of(text) if len(text) <= 254 and text.isascii() else None


@lru_cache(maxsize=4096)
def _host_of(text: str) -> str | Address | None:
    if text.startswith("[") or ":" in text:
        bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
        return read_address(bare) if ":" in bare else None
    name = text.lower().removesuffix(".")
    if len(name) > 253 or not _NAME.fullmatch(name):
        return None
    return read_address(name) if _NUMBER.fullmatch(name.rpartition(".")[2]) else name


@lru_cache(maxsize=4096)
def read_address(text: str) -> Address | None:
    """An address; IPv4 in IPv6 is IPv4."""
    if not re.fullmatch(r"[0-9A-Fa-f:.]{2,45}", text):
        return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")
_RESERVED_V6 = [ipaddress.IPv6Network(each) for each in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")]
_RESERVED_V4 = [
    ipaddress.IPv4Network(each)
    for each in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # the metadata service of a cloud, although its address is a public one
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    )
]


@lru_cache(maxsize=4096)
def is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _RESERVED_V4)
    if address in _NAT64:
        return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return address in _PUBLIC_V6 and not any(address in network for network in _RESERVED_V6)


_ODD = re.compile(
    r"[\\#]|%(?![0-9a-f]{2})|%(?:[01][0-9a-f]|7f|5c)|%25[0-9a-f]{2}|%c[01]|%e0%[89]|%f0%8",
    re.IGNORECASE,
)
"""Backslashes, broken escapes, encoded control characters, escapes encoded twice, UTF-8 that is longer than it need be."""
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})|[*']")
_KEPT = frozenset("%?#;*'")


def read_path(target: str) -> list[str] | None:
    """The segments of a path, each spelled in one way; None for a path that servers read in different ways."""
    if len(target) > 16_384 or not re.fullmatch(r"/[\x21-\x7e]*", target) or "#" in target:
        return None
    path = target.partition("?")[0]
    if _ODD.search(path):
        return None
    segments = _ESCAPE.sub(_spelled, path)[1:].split("/")
    if any(segment.partition(";")[0] in (".", "..") for segment in segments):
        return None
    return segments


def _spelled(found: re.Match[str]) -> str:
    """Encoded where it must be, and nowhere else; an encoded slash is a slash.

    It must be what means something to patterns, to servers, or to the shell that a refused path is pasted into.
    """
    if found[1] is None:
        return f"%{ord(found[0]):02X}"
    character = chr(int(found[1], 16))
    return character if "!" <= character <= "~" and character not in _KEPT else f"%{found[1].upper()}"


def lenient(path: list[str]) -> list[str]:
    """As a server may read it that is generous: for rules that deny."""
    bare = (segment.partition(";")[0].lower() for segment in path)
    return [segment for segment in bare if segment != ""]


def bracketed(host: str | Address) -> str:
    text = str(host)
    return f"[{text}]" if ":" in text and not text.startswith("[") else text
