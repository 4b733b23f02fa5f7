"""What a guard's count means."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from driftflow.drivers.urls import connector_for
from driftflow.engine.guards import check_guard
from driftflow.errors import RefusedError
from driftflow.lab import sqlite
from driftflow.model.plan import Guard


@pytest.mark.parametrize(
    ("refuse_if", "count", "refuses"),
    [
        ("not_zero", 0, False),
        ("not_zero", 3, True),
        ("zero", 0, True),
        ("zero", 3, False),
        ("never", 0, False),
        ("never", 3, False),
    ],
)
def test_which_count_refuses(tmp_path: Path, refuse_if: str, count: int, refuses: bool) -> None:
    guard = Guard(query=f"SELECT {count}", refuse_if=refuse_if, summary="{count} rows")
    with closing(connector_for(f"sqlite:///{sqlite.create(tmp_path / 'a.db')}").connect("test")) as connection:
        if not refuses:
            check_guard(guard, connection, where="here", again="again")
            return
        with pytest.raises(RefusedError, match=f"{count} rows"):
            check_guard(guard, connection, where="here", again="again")
