"""A large folder is read and checked in several processes, and says what it says in one."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftflow import side_by_side
from driftflow.cli.main import main

FILES = {
    "CREATE TABLE t{n} (id bigint PRIMARY KEY, note text)": range(0, 60, 3),
    "CREATE INDEX i{n} ON t{m} (note);\nALTER TABLE old{n} ADD COLUMN note text;\nALTER TABLE other ADD note text": range(
        1, 60, 3
    ),
    '-- driftflow: ignore DF104 reason="nobody reads it"\nALTER TABLE t{m} DROP COLUMN note;\n'
    "-- driftflow: ignore DF301 reason=\"not needed\"\nUPDATE old{n} SET note = 'x'": range(2, 60, 3),
}


@pytest.mark.parametrize("rejected", [None, 7, 55])
def test_the_report_is_the_same(
    rejected: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "migrations").mkdir()
    for sql, numbers in FILES.items():
        for n in numbers:
            text = "SELEC 1" if n == rejected else sql.format(n=n, m=n - n % 3)
            (tmp_path / "migrations" / f"{n:03}.sql").write_text(f"{text};\n")
    monkeypatch.setattr(side_by_side, "WORTH_A_PROCESS", 5)
    said = []
    for processes in (1, 3):
        monkeypatch.setattr(side_by_side, "_processors", lambda count=processes: count)
        code = main(["lint", "migrations", "--dialect", "postgresql", "--format", "json"])
        said.append((code, capsys.readouterr().out))
    assert said[0] == said[1]
    assert said[0][0] == (1 if rejected is None else 2)
    assert all(code in said[0][1] for code in ("DF104", "DF301", "DF901"))
