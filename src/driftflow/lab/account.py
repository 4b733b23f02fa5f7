"""Under which account a throw-away server runs. PostgreSQL refuses root, so root lends it an account that is already there."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from driftflow.errors import ConfigError

CANDIDATES = ("postgres", "nobody")


@cache
def server_account() -> pwd.struct_passwd | None:
    """The account to run servers as; None is our own. No account is ever created."""
    if os.geteuid() != 0:
        return None
    for name in CANDIDATES:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise ConfigError(
        "DF-E440",
        "a throw-away PostgreSQL server cannot run as root, and there is no other account",
        why=f"none of the accounts {', '.join(CANDIDATES)} exists on this machine",
        hint="useradd --system postgres",
    )


def process_arguments() -> dict[str, Any]:
    """Arguments of `subprocess.Popen` that make the child run as the account, in a session of its own (Ctrl-C is not for it)."""
    account = server_account()
    arguments: dict[str, Any] = {"start_new_session": True}
    if account is not None:
        arguments |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    return arguments


def give(path: Path) -> Path:
    """Make the account the owner of one file or folder."""
    account = server_account()
    if account is not None:
        os.chown(path, account.pw_uid, account.pw_gid)
    return path


def give_tree(root: Path) -> Path:
    """Make the account the owner of a folder and everything below it."""
    account = server_account()
    if account is not None:
        for path in (root, *root.rglob("*")):
            os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
    return root


def can_reach(path: Path) -> bool:
    """Whether the account may read the file through all its folders, by the permission bits."""
    account = server_account()
    if account is None:
        return os.access(path, os.R_OK | os.X_OK)
    wanted = stat.S_IROTH | stat.S_IXOTH
    return all(_open_to(folder, stat.S_IXOTH) for folder in _folders(path)) and _open_to(path, wanted)


def _folders(path: Path) -> Iterator[Path]:
    yield from path.resolve().parents


def _open_to(path: Path, bits: int) -> bool:
    account = server_account()
    state = path.stat()
    owner_bits = bits << 6
    if account is not None and state.st_uid == account.pw_uid:
        return state.st_mode & owner_bits == owner_bits
    return state.st_mode & bits == bits


def lab_folder() -> Path:
    """The lab's own folder below the temporary one: programs, templates and running servers. Short, because a socket's path may have 107 bytes."""
    return _ours(Path(tempfile.gettempdir()), children=("servers", "templates"))


def servers_folder() -> Path:
    """Where servers keep their data while they run: in the lab's folder, or below the one that DRIFTFLOW_LAB_SERVERS names.

    In memory (`/dev/shm`) a statement that makes files takes a tenth of the time, and nobody wants the data once the server has ended.
    """
    named = os.environ.get("DRIFTFLOW_LAB_SERVERS", "")
    return (_ours(Path(named), children=("servers",)) if named else lab_folder()) / "servers"


def _ours(below: Path, *, children: tuple[str, ...]) -> Path:
    """The folder must belong to us: another user could have made it first to read or change what we start. Raises ConfigError (DF-E441, DF-E449)."""
    folder = below / f"driftflow-lab-{os.geteuid()}"
    try:
        folder.mkdir(mode=0o755, exist_ok=True)
        state = folder.lstat()
    except OSError as fault:
        raise ConfigError(
            "DF-E449",
            "the lab's folder cannot be made",
            where=str(folder),
            why=fault.strerror or str(fault),
            hint="name another one: TMPDIR=/another/folder, or DRIFTFLOW_LAB_SERVERS",
        ) from fault
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.geteuid():
        raise ConfigError(
            "DF-E441",
            "the lab's folder belongs to somebody else",
            where=str(folder),
            why="driftflow keeps its throw-away servers there and another user could change them",
            hint="TMPDIR=/another/folder driftflow ...",
        )
    for name in children:
        child = folder / name
        if not child.exists():
            child.mkdir(mode=0o755, exist_ok=True)
            give(child)
    return folder


def remove(folder: Path) -> None:
    """Delete a folder and what is in it; a file that vanishes meanwhile is fine."""
    shutil.rmtree(folder, ignore_errors=True)
