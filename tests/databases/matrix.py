"""`make matrix`: every statement on every server, prediction beside observation, and the counts as a table and as data.

The counts go to `docs/effects-counts.json`; the tidy tests hold the table of `docs/effects.md` in step with it.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "databases")]

import test_mysql_effects as mysql_family  # noqa: E402
import test_postgresql_effects as postgresql  # noqa: E402
import test_sqlite_statements as sqlite  # noqa: E402
from mysql_statements import statements as mysql_statements  # noqa: E402
from postgresql_statements import statements as postgresql_statements  # noqa: E402
from sqlite_statements import statements as sqlite_statements  # noqa: E402

from driftflow.drivers.urls import connector_for  # noqa: E402
from driftflow.lab import mysql, mysql_programs, postgresql_programs, servers  # noqa: E402
from mysql_predictions import DATA, setup_statements  # noqa: E402

COUNTS = ROOT / "docs" / "effects-counts.json"
TABLE = ROOT / "docs" / "effects.md"
START, END = "<!-- counts: written by make matrix -->", "<!-- end of counts -->"

Lists = dict[str, list[str]]
Counted = dict[str, dict[str, int]]
"""List of statements to how many there are and how many were equal."""


def of_postgresql(only: int | None = None) -> Iterator[tuple[str, Counted]]:
    lists = {
        "recorded": postgresql.recorded(),
        "by chance": postgresql_statements(postgresql.SEED, postgresql.COUNT),
        "more": postgresql_statements(postgresql.MORE_SEED, postgresql.MORE),
    }
    for major in postgresql_programs.VERSIONS if only is None else (only,):
        found = servers.server(major)
        if found is None:
            postgresql_programs.unpack(major)
            found = servers.server(major)
        assert found is not None
        with found.open() as server:
            url = server.create_database()
            schema = url, postgresql.set_up(url)
            yield (
                f"PostgreSQL {schema[1].version or major}",
                counted(lists, lambda wanted, schema=schema: postgresql.differences(schema, list(wanted))),
            )


def of_mysql_family() -> Iterator[tuple[str, Counted]]:
    recorded = [str(one["sql"]) for one in json.loads((DATA / "mysql.json").read_text(encoding="utf-8"))]
    lists = {
        "recorded": recorded,
        "by chance": mysql_statements(mysql_family.SEED, mysql_family.COUNT),
        "more": mysql_statements(mysql_family.MORE_SEED, mysql_family.MORE),
    }
    for programs in mysql_programs.installed():
        with mysql.begun(programs, folder=None, settings=None, durable=False) as server:
            server.create_database(mysql_family.DATABASE)
            with closing(connector_for(server.url(mysql_family.DATABASE, user="root")).connect("observe")) as connection:
                for sql in setup_statements():
                    connection.execute(sql)
                connection.execute(f"USE {mysql_family.DATABASE}")
                name = {"mysql": "MySQL", "mariadb": "MariaDB"}[programs.flavour]
                yield (
                    f"{name} {programs.version}",
                    counted(lists, lambda wanted, connection=connection: mysql_family.differences(connection, wanted)),
                )


def of_sqlite() -> Iterator[tuple[str, Counted]]:
    lists = {
        "by chance": sqlite_statements(sqlite.SEED, sqlite.COUNT),
        "more": sqlite_statements(sqlite.MORE_SEED, sqlite.MORE),
    }
    for kind in sqlite.LIBRARIES:
        with tempfile.TemporaryDirectory() as folder:
            library = sqlite.opened(kind, Path(folder) / "asked.db")
            version = library.version
            library.raw.close()  # type: ignore[attr-defined]
            yield f"SQLite {version}", counted(lists, lambda wanted, kind=kind: of_file(kind, wanted))


def of_file(kind: str, wanted: Sequence[str]) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        return sqlite.differences(kind, Path(folder), wanted)


def counted(lists: Lists, differing: Callable[[Sequence[str]], list[str]]) -> Counted:
    found: Counted = {}
    for name, wanted in lists.items():
        told = differing(wanted)
        for one in told:
            print(f"  {one}", file=sys.stderr)
        found[name] = {"statements": len(wanted), "equal": len(wanted) - len(told)}
    return found


def table(counts: dict[str, Counted]) -> str:
    """The counts as Markdown."""
    names = list(dict.fromkeys(name for one in counts.values() for name in one))
    lines = [f"| server | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for server, one in counts.items():
        cells = (f"{one[name]['equal']} of {one[name]['statements']}" if name in one else "" for name in names)
        lines.append(f"| {server} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main(wanted: Sequence[str]) -> int:
    """`matrix.py` observes on all, `matrix.py postgresql` or `matrix.py postgresql-15` on those alone, and keeps the counts of the others."""
    counts: dict[str, Counted] = {}
    for name in wanted or list(SOURCES):
        vendor, _, major = name.partition("-")
        for server, one in of_postgresql(int(major)) if major else SOURCES[vendor]():
            counts[server] = one
            told = ", ".join(f"{part} {got['equal']} of {got['statements']}" for part, got in one.items())
            print(f"{server}: {told}", flush=True)
    known: dict[str, Counted] = json.loads(COUNTS.read_text(encoding="utf-8")) if wanted and COUNTS.is_file() else {}
    write(dict(sorted({**known, **counts}.items(), key=_order)))
    return 0 if all(got["equal"] == got["statements"] for one in counts.values() for got in one.values()) else 1


def _order(item: tuple[str, Counted]) -> tuple[int, str]:
    vendor = item[0].partition(" ")[0]
    return ("PostgreSQL", "MySQL", "MariaDB", "SQLite").index(vendor), item[0]


def write(counts: dict[str, Counted]) -> None:
    COUNTS.write_text(json.dumps(counts, indent=1) + "\n", encoding="utf-8")
    text = TABLE.read_text(encoding="utf-8")
    before, rest = text.split(START)
    TABLE.write_text(f"{before}{START}\n\n{table(counts)}\n\n{END}{rest.split(END)[1]}", encoding="utf-8")


SOURCES: dict[str, Callable[[], Iterator[tuple[str, Counted]]]] = {
    "postgresql": of_postgresql,
    "mysql": of_mysql_family,
    "sqlite": of_sqlite,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
