"""Where throw-away servers keep their data."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from driftflow.errors import ConfigError
from driftflow.lab import account


def test_servers_live_in_the_folder_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTFLOW_LAB_SERVERS", str(tmp_path))
    assert account.servers_folder() == tmp_path / f"driftflow-lab-{os.geteuid()}" / "servers"
    assert account.servers_folder().is_dir()
    monkeypatch.delenv("DRIFTFLOW_LAB_SERVERS")
    assert account.servers_folder() == account.lab_folder() / "servers"


def test_a_folder_that_is_none_is_an_error_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in (tmp_path / "nowhere", tmp_path / "file"):
        (tmp_path / "file").touch()
        monkeypatch.setenv("DRIFTFLOW_LAB_SERVERS", str(place))
        with pytest.raises(ConfigError, match="cannot be made") as error:
            account.servers_folder()
        assert error.value.code == "DF-E449"
