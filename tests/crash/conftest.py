"""What the crash tests share."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "databases"))
from recipes.conftest import place, server_named  # noqa: F401  (the servers on which recipes are shown)


@pytest.fixture
def memory_path() -> Iterator[Path]:
    """A folder in memory where there is one: killing a process loses nothing that fsync would have kept."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="driftflow-crash-", dir=memory if memory.is_dir() else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
