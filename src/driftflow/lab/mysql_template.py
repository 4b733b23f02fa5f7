"""A data directory as a new server has it, made once per version and copied for every server: 2.5 s becomes 0.1 s."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from driftflow.errors import ConfigError
from driftflow.lab import account
from driftflow.lab.mysql_programs import Programs

FORMAT = 1
"""Raise it when the arguments change, so that older templates are not used."""
INITIALISE_SECONDS_MAX = 120
SCRIPTS = ("system_tables", "performance_tables", "system_tables_data", "sys_schema")
"""What mariadb-install-db feeds to the server, without help texts and test database. (Its script starts programs by their own path, which an
unpacked server cannot have.)"""
SMALL: dict[str, tuple[str, ...]] = {
    "mysql": ("--innodb-redo-log-capacity=16M",),
    "mariadb": ("--innodb-log-file-size=32M", "--enforce-storage-engine="),
}


def places_of(programs: Programs) -> tuple[str, ...]:
    """Where the server finds its own files."""
    return (
        f"--basedir={programs.root / 'usr'}",
        f"--lc-messages-dir={programs.share}",
        f"--plugin-dir={programs.plugins}",
    )


def template(programs: Programs) -> Path:
    """The pristine data directory of these programs, made when there is none yet. root has no password and comes in by the socket only."""
    built = int(programs.server.stat().st_mtime)
    folder = account.lab_folder() / "templates" / f"{programs.flavour}-{programs.version}-{built}-{FORMAT}"
    if not (folder / "data" / "mysql").exists():
        _make(programs, folder)
    return folder / "data"


def copy(source: Path, data: Path) -> None:
    """A new data directory like the template, but for the server's own identity."""
    shutil.copytree(source, data, symlinks=True)
    (data / "auto.cnf").unlink(missing_ok=True)
    data.chmod(0o700)
    account.give_tree(data)


def _make(programs: Programs, folder: Path) -> None:
    partial = folder.with_name(f"{folder.name}.{os.getpid()}.{secrets.token_hex(4)}")
    partial.mkdir(mode=0o700)
    account.give(partial)
    # The account may write nothing where TMPDIR is the folder of whoever starts it.
    places = (f"--datadir={partial / 'data'}", f"--tmpdir={partial}")
    try:
        if programs.flavour == "mysql":
            _run(programs, ["--initialize-insecure", *SMALL["mysql"], *places], b"")
        else:
            (partial / "data").mkdir(mode=0o700)
            account.give(partial / "data")
            _run(programs, ["--bootstrap", *SMALL["mariadb"], *places], _bootstrap(programs))
        partial.rename(folder)
    except OSError:  # another process was faster; its template is as good
        if not folder.is_dir():
            raise
    finally:
        account.remove(partial)


def _bootstrap(programs: Programs) -> bytes:
    lines = [b"create database if not exists mysql;\nuse mysql;\nset @auth_root_socket=NULL;\n"]
    for name in SCRIPTS:
        found = [programs.share / f"{prefix}_{name}.sql" for prefix in ("mariadb", "mysql")]
        script = next((path for path in found if path.is_file()), None)
        if script is None:
            raise ConfigError(
                "DF-E461", "a script of MariaDB is missing", where=str(programs.share), why=f"there is no {found[0].name}",
                hint="apt-get install mariadb-server",
            )  # fmt: skip
        lines.append(script.read_bytes())
    # Only the socket, whose folder is private: no root over TCP, no nameless users.
    lines.append(b"\ndelete from mysql.global_priv where Host <> 'localhost' or User = '';\n")
    return b"".join(lines)


def _run(programs: Programs, arguments: Sequence[str], script: bytes) -> None:
    command = [*programs.command, "--no-defaults", *places_of(programs), *arguments]
    done = subprocess.run(
        command, input=script, capture_output=True, cwd="/", check=False, timeout=INITIALISE_SECONDS_MAX,
        **account.process_arguments(),
    )  # fmt: skip
    if done.returncode != 0:
        raise ConfigError(
            "DF-E460",
            f"the data directory of {programs.flavour} {programs.version} could not be made",
            where=str(programs.server),
            why=done.stderr.decode(errors="replace").strip()[-1000:],
            hint="driftflow doctor --lab",
        )
