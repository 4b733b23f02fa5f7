"""Extensions are found where an installed distribution names them, and only then is it looked at what is installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from driftflow import plugins
from driftflow.errors import PluginError

CHECK = """
from driftflow.checks.base import check, finding
from driftflow.model.operations import DropTable

@check("DF990", on=DropTable, page="", title="Ours: never on a Friday")
def never(operation, at):
    yield finding(at, "not on a Friday", axis="note", severity="info")
"""


@pytest.fixture(autouse=True)
def afresh() -> Iterator[None]:
    for kept in (plugins.discover, plugins.may_be_extended):
        kept.cache_clear()
    yield
    for kept in (plugins.discover, plugins.may_be_extended):
        kept.cache_clear()


@pytest.fixture(params=["dist-info", "egg-info"])
def installed(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the path, with a distribution that brings a check."""
    folder = tmp_path / f"friday_rules-1.0.{request.param}"
    folder.mkdir()
    (folder / "entry_points.txt").write_text("[driftflow.check]\nfriday = friday_rules\n")
    name = "METADATA" if request.param == "dist-info" else "PKG-INFO"
    (folder / name).write_text("Metadata-Version: 2.1\nName: friday-rules\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_without_an_extension_nothing_of_the_kind_is_looked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.path", [str(tmp_path), str(tmp_path / "nowhere")])
    assert not plugins.may_be_extended()


def test_an_installed_extension_is_found(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (installed / "friday_rules.py").write_text(CHECK)
    monkeypatch.delitem(__import__("sys").modules, "friday_rules", raising=False)
    entry = plugins.discover("check").get("check", "DF990")
    assert entry is not None
    assert entry.owner == "friday-rules"


def test_one_that_cannot_be_imported_is_named(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (installed / "friday_rules.py").write_text("import nothing_of_this_name\n")
    monkeypatch.delitem(__import__("sys").modules, "friday_rules", raising=False)
    with pytest.raises(PluginError, match="friday of friday-rules"):
        plugins.discover("check")
