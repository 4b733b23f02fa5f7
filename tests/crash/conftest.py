"""What the crash tests share."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def memory_path() -> Iterator[Path]:
    """A folder in memory where there is one: killing a process loses nothing that fsync would have kept."""
    place = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="driftflow-crash-", dir=place if place.is_dir() else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
