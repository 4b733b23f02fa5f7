"""`enhance` offers, shows the difference, and writes only what was taken and only when it is told to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from driftflow.cli.main import main

INDEX = "CREATE INDEX orders_tenant_idx ON orders (tenant_id);\n"
NAIVE = f"""\
ALTER TABLE orders ADD COLUMN note text;
{INDEX}"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dbmate project with one migration that is better built online."""
    migrations = tmp_path / "db" / "migrations"
    migrations.mkdir(parents=True)
    (migrations / "20240101120000_orders.sql").write_text(
        f"-- migrate:up\n{NAIVE}\n-- migrate:down\nALTER TABLE orders DROP COLUMN note;\n"
    )
    monkeypatch.chdir(tmp_path)
    return migrations


def files(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["enhance", "db/migrations", "--dialect", "postgresql", *words])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_offers_are_listed_and_nothing_is_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(folder)
    code, out, _ = run(capsys)
    assert code == 0
    assert "build_index_online:20240101120000:3" in out
    assert out.splitlines()[-1] == "  or: driftflow enhance db/migrations --take all"
    assert files(folder) == before


def test_taking_shows_the_difference_and_writing_writes_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(folder)
    code, out, _ = run(capsys, "--take", "all")
    assert code == 0
    assert "+CREATE INDEX CONCURRENTLY orders_tenant_idx" in out and f"-{INDEX}" in out
    assert "+-- migrate:up transaction:false" in out, "dbmate's own flag"
    assert files(folder) == before
    code, out, _ = run(capsys, "--take", "all", "--write")
    assert code == 0
    after = files(folder)
    assert len(after) == 2 and any("CONCURRENTLY" in text for text in after.values())
    assert main(["lint", "db/migrations", "--dialect", "postgresql", "-q", "--format", "json", "--fail-on", "never"]) == 0
    codes = {finding["code"] for finding in json.loads(capsys.readouterr().out).get("findings", [])}
    assert "DF301" not in codes, "what was offered answers the finding"


def test_json_holds_the_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--take", "all", "--format", "json")
    told = json.loads(out)
    assert code == 0 and told["written"] is False
    assert any("CONCURRENTLY" in text for text in told["files"].values())
    assert told["lost"]


def test_an_offer_that_is_not_there_is_refused_with_the_nearest(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "--take", "build_index_online:20240101120000:4")
    assert code == 2 and "DF-E139" in err and "did you mean build_index_online:20240101120000:3?" in err


def test_nobody_to_ask(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = files(folder)
    code, _, err = run(capsys, "--write")
    assert code == 2 and "DF-E135" in err
    assert files(folder) == before
