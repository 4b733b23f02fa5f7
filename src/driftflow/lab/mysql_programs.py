"""Where MySQL's and MariaDB's own programs are: the distribution's packages, and what `unpack` laid beside them.

Debian 12 has no MySQL at all, and one MariaDB. `unpack` fetches another release's server package and everything that it needs with the
machine's own apt (signed, and from the mirror that apt already uses), and lays the files into a folder. Nothing is installed, no rights are
needed: such a server starts through the loader and the libraries that came with it.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from driftflow.errors import ConfigError
from driftflow.lab import account
from driftflow.model.names import Version
from driftflow.patterns import lazy_regex

Flavour = Literal["mysql", "mariadb"]

BANNER = lazy_regex(r"Ver (?P<version>\d+\.\d+\.\d+)(?P<rest>\S*)")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
RELEASE = "sid"
"""The release that has MySQL 9 and MariaDB 11.8."""
UNPACK_SECONDS_MAX = 300
APT_OPTIONS: Mapping[str, str] = {
    "APT::Install-Recommends": "false",
    "APT::Sandbox::User": "",
    "Acquire::Languages": "none",
    "Acquire::PDiffs": "false",
    # A mirror that lags, or a machine whose clock runs ahead: the packages are signed all the same.
    "Acquire::Check-Valid-Until": "false",
    "Acquire::Retries": "3",
}


@dataclass(frozen=True, kw_only=True)
class Programs:
    """One server that can be started: `command` runs it, `root` holds its `usr`."""

    flavour: Flavour
    version: Version
    server: Path
    root: Path
    origin: str

    @property
    def command(self) -> tuple[str, ...]:
        """The server by itself, or through the loader that it was unpacked with."""
        if self.root == Path("/"):
            return (str(self.server),)
        libraries = _libraries(self.root)
        return (str(libraries / _loader(libraries)), "--library-path", str(libraries), str(self.server))

    @property
    def share(self) -> Path:
        """Error messages, and the scripts that make the system tables."""
        share = self.root / "usr" / "share"
        return next((share / name for name in ("mariadb", "mysql") if (share / name / "english").is_dir()), share / "mysql")

    @property
    def plugins(self) -> Path:
        return self.root / "usr" / "lib" / "mysql" / "plugin"


def installed() -> tuple[Programs, ...]:
    """Every server of the family that can be started here, the distribution's first."""
    return (*_of_distribution(), *_unpacked())


def find(flavour: Flavour, major: int | None = None) -> Programs:
    """The server of one major version, or the oldest that is here. Raises ConfigError."""
    here = installed()
    for programs in here:
        if programs.flavour == flavour and major in {None, programs.version.major}:
            return programs
    wanted = f"{'MariaDB' if flavour == 'mariadb' else 'MySQL'}{f' {major}' if major is not None else ''}"
    raise ConfigError(
        "DF-E462",
        f"there is no {wanted} to start on this machine",
        why=f"found: {', '.join(f'{one.flavour} {one.version} ({one.origin})' for one in here) or 'none'}",
        hint="apt-get install mariadb-server" if flavour == "mariadb" and major in {None, 10} else "make servers",
    )


def _of_distribution() -> Iterator[Programs]:
    for name in ("mariadbd", "mysqld"):
        found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
        if found is None or Path(found).resolve().name != name:  # mysqld is a link to mariadbd where MariaDB is installed
            continue
        programs = _recognised(Path(found), Path("/"), f"the distribution's {name}", (found,))
        if programs is not None:
            yield programs


def _unpacked() -> Iterator[Programs]:
    for flavour, name in (("mysql", "mysqld"), ("mariadb", "mariadbd")):
        root = folder() / flavour
        server = root / "usr" / "sbin" / name
        if not server.is_file():
            continue
        libraries = _libraries(root)
        command = (str(libraries / _loader(libraries)), "--library-path", str(libraries), str(server))
        programs = _recognised(server, root, str(root), command)
        if programs is not None:
            yield programs


def _recognised(server: Path, root: Path, origin: str, command: Sequence[str]) -> Programs | None:
    """By what the program itself says; None for one that does not start or is something else."""
    try:
        said = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    banner = BANNER.search(said)
    if banner is None:
        return None
    flavour: Flavour = "mariadb" if "mariadb" in banner["rest"].lower() else "mysql"
    return Programs(flavour=flavour, version=Version.parse(banner["version"]), server=server, root=root, origin=origin)


def _libraries(root: Path) -> Path:
    return next(iter(sorted((root / "usr" / "lib").glob("*-linux-gnu"))), root / "usr" / "lib")


def _loader(libraries: Path) -> str:
    return next((path.name for path in sorted(libraries.glob("ld-linux*.so.*"))), "ld-linux-x86-64.so.2")


# the unpacked ones


def folder() -> Path:
    """Where unpacked servers are kept: beside the templates, so that every checkout finds the same."""
    programs = account.lab_folder() / "programs"
    programs.mkdir(mode=0o755, exist_ok=True)
    return programs


def unpack(flavour: Flavour) -> Path:
    """Fetch and unpack the newest server of the flavour, unless it is there already. Raises ConfigError where apt cannot."""
    root = folder() / flavour
    if root.is_dir():
        return root
    scratch = folder() / f"{flavour}.{os.getpid()}.{secrets.token_hex(4)}"
    try:
        _fetch(f"{flavour}-server-core", scratch)
        for package in sorted((scratch / "archives").glob("*.deb")):
            _run(["dpkg-deb", "--extract", str(package), str(scratch / "root")], {})
        if not (scratch / "root").exists():
            raise _unpackable(flavour, "nothing was fetched")
        (scratch / "root").rename(root)
    except OSError as fault:
        if not root.is_dir():  # unless another process was faster
            raise _unpackable(flavour, str(fault)) from fault
    finally:
        account.remove(scratch)
    return root


def _fetch(package: str, scratch: Path) -> None:
    """Download the package with all that it needs, as if nothing were installed."""
    for name in ("lists/partial", "archives/partial", "parts"):
        (scratch / name).mkdir(mode=0o755, parents=True)
    (scratch / "status").touch()
    (scratch / "sources").write_text(f"deb [signed-by={KEYRING}] {_mirror()} {RELEASE} main\n")
    options = {
        **APT_OPTIONS,
        "Dir::State": str(scratch),
        "Dir::State::lists": str(scratch / "lists"),
        "Dir::State::status": str(scratch / "status"),
        "Dir::Cache": str(scratch),
        "Dir::Cache::archives": str(scratch / "archives"),
        "Dir::Etc::main": "/dev/null",
        "Dir::Etc::parts": str(scratch / "parts"),
        "Dir::Etc::sourcelist": str(scratch / "sources"),
        "Dir::Etc::sourceparts": str(scratch / "parts"),
        "Dir::Etc::preferences": "/dev/null",
        "Dir::Etc::preferencesparts": str(scratch / "parts"),
    }
    settings = scratch / "apt.conf"
    settings.write_text("".join(f'{name} "{value}";\n' for name, value in options.items()))
    environment = {"APT_CONFIG": str(settings), "DEBIAN_FRONTEND": "noninteractive"}
    _run(["apt-get", "-qq", "update"], environment)
    _run(["apt-get", "-qq", "--yes", "--download-only", "install", package], environment)


def _mirror() -> str:
    """The mirror that the machine's own apt uses for Debian; a mirror carries every release."""
    sources = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    for source in sources:
        text = source.read_text(errors="replace") if source.is_file() else ""
        for found in re.finditer(r"^(?:URIs:|deb(?:\s+\[[^\]]*\])?)\s+(?P<uri>\S+)", text, re.MULTILINE):
            uri = found["uri"].rstrip("/")
            if uri.endswith("/debian"):
                return uri
    raise _unpackable("mysql", "apt has no Debian mirror on this machine")


def _run(command: Sequence[str], environment: Mapping[str, str]) -> None:
    try:
        subprocess.run(
            command, capture_output=True, text=True, timeout=UNPACK_SECONDS_MAX, check=True, env={**os.environ, **environment}
        )
    except FileNotFoundError as fault:
        raise _unpackable("mysql", f"{command[0]} is not on this machine") from fault
    except subprocess.SubprocessError as fault:
        said = getattr(fault, "stderr", None) or str(fault)
        raise _unpackable("mysql", str(said).strip()[-500:]) from fault


def _unpackable(flavour: str, why: str) -> ConfigError:
    return ConfigError(
        "DF-E463",
        f"the packages of a {flavour} server could not be unpacked",
        where=str(folder()),
        why=why,
        hint="apt-get update, then make servers",
    )
