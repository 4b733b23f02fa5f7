"""What is wrong with a folder is told all at once, with place, reason and code, and nothing is skipped."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from driftflow.dialects.registry import dialect_named
from driftflow.errors import SourceError
from driftflow.model.migration import Migration
from driftflow.plugins import discover
from driftflow.readers.base import SourceOptions
from driftflow.readers.sources import readers

TOOLS = ("dbmate", "diesel", "drizzle", "flyway", "golang-migrate", "goose", "plain", "prisma")
GOOD = {
    "dbmate": {"1_a.sql": "-- migrate:up\nSELECT 1;\n-- migrate:down\n"},
    "diesel": {"1_a/up.sql": "SELECT 1;\n"},
    "drizzle": {
        "meta/_journal.json": '{"dialect": "postgresql", "entries": [{"idx": 0, "when": 1, "tag": "0000_a", "breakpoints": true}]}',
        "0000_a.sql": "SELECT 1;\n",
    },
    "flyway": {"V1__a.sql": "SELECT 1;\n"},
    "golang-migrate": {"1_a.up.sql": "SELECT 1;\n"},
    "goose": {"1_a.sql": "-- +goose Up\nSELECT 1;\n"},
    "plain": {"1.sql": "SELECT 1;\n"},
    "prisma": {"migration_lock.toml": 'provider = "postgresql"\n', "20240101000000_a/migration.sql": "SELECT 1;\n"},
}


def lay(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def read(tool: str, folder: Path, dialect: str = "postgresql", **options: str) -> tuple[Migration, ...]:
    reader = discover("reader").get("reader", tool).value()
    return reader.read(folder, dialect_named(dialect), SourceOptions(path="m", options=options))


def faults(tool: str, folder: Path, dialect: str = "postgresql", **options: str) -> list[SourceError]:
    with pytest.raises((SourceError, ExceptionGroup)) as caught:
        read(tool, folder, dialect, **options)
    fault = caught.value
    return list(fault.exceptions) if isinstance(fault, ExceptionGroup) else [fault]


def codes(found: list[SourceError]) -> list[str]:
    return [one.code for one in found]


def script_of(tool: str) -> str:
    return next(name for name in GOOD[tool] if name.endswith(".sql"))


@pytest.mark.parametrize("tool", TOOLS)
def test_the_good_ones_are_good(tool: str, tmp_path: Path) -> None:
    (migration,) = read(tool, lay(tmp_path, GOOD[tool]))
    assert [one.sql for one in migration.statements] == ["SELECT 1"]
    assert migration.path == f"m/{script_of(tool)}"
    assert migration.statements[0].span.file == migration.path


@pytest.mark.parametrize("tool", TOOLS)
def test_one_file_of_the_folder(tool: str, tmp_path: Path) -> None:
    """Named by its path, the file is read by its tool's rules, not as loose SQL."""
    lay(tmp_path, GOOD[tool])
    reader = discover("reader").get("reader", tool).value()
    path = script_of(tool)
    detected = [entry.name for entry in discover("reader").of("reader") if entry.value().detect(tmp_path / path)]
    assert detected == [tool]
    (migration,) = reader.read(tmp_path / path, dialect_named("postgresql"), SourceOptions(path=f"m/{path}"))
    assert [one.sql for one in migration.statements] == ["SELECT 1"]
    assert migration.path == f"m/{path}"


@pytest.mark.parametrize("tool", TOOLS)
def test_empty_folder(tool: str, tmp_path: Path) -> None:
    assert codes(faults(tool, tmp_path)) == ["DF-E221"]


@pytest.mark.parametrize("tool", TOOLS)
def test_no_folder(tool: str, tmp_path: Path) -> None:
    assert codes(faults(tool, tmp_path / "nowhere")) == ["DF-E220"]


@pytest.mark.parametrize("tool", TOOLS)
def test_unknown_option(tool: str, tmp_path: Path) -> None:
    (fault,) = faults(tool, lay(tmp_path, GOOD[tool]), mutli_statement="true")
    assert fault.code == "DF-E228"
    assert "mutli_statement" in fault.summary


@pytest.mark.parametrize("tool", TOOLS)
def test_not_utf8(tool: str, tmp_path: Path) -> None:
    lay(tmp_path, GOOD[tool])
    path = tmp_path / script_of(tool)
    path.write_bytes(path.read_bytes() + "-- é\n-- caf".encode() + b"\xe9\n")
    (fault,) = faults(tool, tmp_path)
    assert fault.code == "DF-E223"
    lines = path.read_bytes().count(b"\n")
    assert fault.where.startswith(f"m/{script_of(tool)}:{lines}:7\n")


@pytest.mark.parametrize("tool", TOOLS)
def test_nul(tool: str, tmp_path: Path) -> None:
    lay(tmp_path, GOOD[tool])
    path = tmp_path / script_of(tool)
    path.write_bytes(path.read_bytes() + b"-- a\0b\n")
    (fault,) = faults(tool, tmp_path)
    assert fault.code == "DF-E224"
    assert ":5\n" in fault.where


@pytest.mark.parametrize("tool", TOOLS)
def test_byte_order_mark(tool: str, tmp_path: Path) -> None:
    """Flyway skips it, and psql does; every other tool would send it to the server."""
    lay(tmp_path, GOOD[tool])
    path = tmp_path / script_of(tool)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    if tool in {"flyway", "plain"}:
        (migration,) = read(tool, tmp_path)
        assert [one.sql for one in migration.statements] == ["SELECT 1"]
        assert migration.statements[0].span.start == 1
    else:
        (fault,) = faults(tool, tmp_path)
        assert fault.code == "DF-E225"


@pytest.mark.parametrize("tool", TOOLS)
def test_crlf_keeps_places(tool: str, tmp_path: Path) -> None:
    lay(tmp_path, {name: text.replace("SELECT 1;\n", "SELECT\r\n 1;\r\n") for name, text in GOOD[tool].items()})
    (migration,) = read(tool, tmp_path)
    text = (tmp_path / script_of(tool)).read_bytes().decode()
    span = migration.statements[0].span
    assert migration.statements[0].sql == text[span.start : span.end] == "SELECT\r\n 1"


@pytest.mark.parametrize("tool", TOOLS)
def test_loop_of_links(tool: str, tmp_path: Path) -> None:
    lay(tmp_path, GOOD[tool])
    path = tmp_path / script_of(tool)
    path.unlink()
    path.symlink_to(path.name)
    found = codes(faults(tool, tmp_path))
    assert found in (["DF-E222"], ["DF-E232"])


def test_a_folder_inside_itself(tmp_path: Path) -> None:
    lay(tmp_path, GOOD["flyway"])
    (tmp_path / "again").symlink_to(tmp_path)
    (fault,) = faults("flyway", tmp_path)
    assert fault.code == "DF-E222"
    assert fault.where == "m/again"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_no_right_to_read(tmp_path: Path) -> None:
    lay(tmp_path, GOOD["plain"])
    (tmp_path / "1.sql").chmod(0)
    assert codes(faults("plain", tmp_path)) == ["DF-E222"]


def test_a_folder_named_like_a_file(tmp_path: Path) -> None:
    lay(tmp_path, GOOD["dbmate"])
    (tmp_path / "2_b.sql").mkdir()
    assert codes(faults("dbmate", tmp_path)) == ["DF-E222"]


@pytest.mark.parametrize(
    ("tool", "files"),
    [
        ("dbmate", {"1_a.sql": GOOD["dbmate"]["1_a.sql"], "1_b.sql": GOOD["dbmate"]["1_a.sql"]}),
        ("diesel", {"2024-01-01_a/up.sql": "SELECT 1;", "20240101_b/up.sql": "SELECT 1;"}),
        ("flyway", {"V1__a.sql": "SELECT 1;", "V1.0__b.sql": "SELECT 1;"}),
        ("golang-migrate", {"1_a.up.sql": "SELECT 1;", "001_b.up.sql": "SELECT 1;"}),
        ("goose", {"1_a.sql": GOOD["goose"]["1_a.sql"], "00001_b.sql": GOOD["goose"]["1_a.sql"]}),
        ("plain", {"1.sql": "SELECT 1;", "1.up.sql": "SELECT 1;"}),
    ],
)
def test_one_version_twice(tool: str, files: dict[str, str], tmp_path: Path) -> None:
    (fault,) = faults(tool, lay(tmp_path, files))
    assert fault.code == "DF-E226"
    assert len(fault.where.splitlines()) == 2


@pytest.mark.parametrize(
    ("tool", "files", "code"),
    [
        ("goose", {"1_a.sql": "-- +goose Up\nSELECT 1;\n", "second.sql": "SELECT 1;"}, "DF-E227"),
        ("goose", {"0_a.sql": "-- +goose Up\nSELECT 1;\n"}, "DF-E227"),
        ("goose", {"1_a.go": "package migrations"}, "DF-E236"),
        ("flyway", {"V1_a.sql": "SELECT 1;", "V2__b.sql": "SELECT 1;"}, "DF-E227"),
        ("flyway", {"V1__a.sql": "SELECT '${who}';"}, "DF-E229"),
        ("flyway", {"V1__a.sql": "CREATE TABLE t (id int);\nCREATE INDEX CONCURRENTLY i ON t (id);"}, "DF-E234"),
        ("golang-migrate", {"1_a.up.sql": "SELECT 1;", "2_b.down.sql": "SELECT 1;"}, "DF-E232"),
        ("golang-migrate", {"99999999999999999999_a.up.sql": "SELECT 1;"}, "DF-E227"),
        ("prisma", {"20240101000000_a/steps.json": "{}"}, "DF-E232"),
        ("prisma", {"migration_lock.toml": 'provider = "sqlite"', "20240101000000_a/migration.sql": "SELECT 1;"}, "DF-E235"),
        ("prisma", {"migration_lock.toml": "provider = ", "20240101000000_a/migration.sql": "SELECT 1;"}, "DF-E230"),
        ("drizzle", {"meta/_journal.json": "{"}, "DF-E230"),
        ("drizzle", {"meta/_journal.json": '{"entries": [{"tag": "0000_gone", "when": 1}]}'}, "DF-E232"),
        ("drizzle", {"meta/_journal.json": '{"dialect": "sqlite", "entries": []}'}, "DF-E235"),
        ("drizzle", {"2024_a/migration.sql": "SELECT 1;"}, "DF-E227"),
        ("diesel", {"1_a/up.sql": ""}, "DF-E221"),
        ("diesel", {"1_a/down.sql": "SELECT 1;"}, "DF-E232"),
        ("diesel", {"1_a/up.sql": "SELECT 1;", "1_a/metadata.toml": "run_in_transaction = no"}, "DF-E230"),
        ("plain", {"1.sql": "SELECT 1;", "2.down.sql": "SELECT 1;"}, "DF-E232"),
        ("plain", {"1.sql": "SELECT :who;"}, "DF-E229"),
        ("plain", {"1.sql": "-- driftflow: file transaction=maybe\nSELECT 1;"}, "DF-E228"),
    ],
)
def test_refused(tool: str, files: dict[str, str], code: str, tmp_path: Path) -> None:
    (fault,) = faults(tool, lay(tmp_path, files))
    assert fault.code == code, str(fault)
    assert fault.where


def test_everything_at_once(tmp_path: Path) -> None:
    files = {
        "1_a.sql": "SELECT 1;",
        "2_b.sql": b"-- migrate:up\n-- \xff\n",
        "3_c.sql": "-- migrate:up\nSELECT 'open;\n-- migrate:down\n",
    }
    found = faults("dbmate", lay(tmp_path, files))
    assert codes(found)[:2] == ["DF-E231", "DF-E223"]
    assert len(found) == 3
    assert found[2].where.startswith("m/3_c.sql:2:8\n")


def test_the_splitters_place_is_the_files(tmp_path: Path) -> None:
    """Behind a section, a variable and a byte order mark."""
    lay(tmp_path, {"1.sql": b"\xef\xbb\xbfSELECT :'a', 'open"})
    reader = discover("reader").get("reader", "plain").value()
    with pytest.raises(SourceError) as caught:
        reader.read(tmp_path, dialect_named("postgresql"), SourceOptions(variables={"a": "x" * 50}))
    assert caught.value.where.startswith("1.sql:1:15\n")


def test_a_file_can_be_named_from_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`driftflow lint a.sql`: such a path has no second parent, and every tool's detector looked for one."""
    lay(tmp_path, {"a.sql": "SELECT 1;\n"})
    monkeypatch.chdir(tmp_path)
    assert [name for name, reader in readers().items() if reader.detect(Path("a.sql")) and name != "plain"] == []
    assert [one.path for one in readers()["plain"].read(Path("a.sql"), dialect_named("postgresql"), SourceOptions())] == ["a.sql"]
