"""What the tests of bad input share: a small project on a real database, the real command line, and the proof that nothing was changed."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import secrets
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

from driftflow.cli.main import main
from driftflow.reports import errors as errors_report

TABLES = (
    "CREATE TABLE customers (id integer PRIMARY KEY, name text NOT NULL, sku text)",
    "CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer, total integer NOT NULL DEFAULT 0)",
    "INSERT INTO customers (id, name, sku) VALUES (1, 'Ann', 'a-1'), (2, 'Bo', 'b-2'), (3, 'Cy', 'c-3')",
    "INSERT INTO orders (id, customer_id, total) VALUES (1, 1, 10), (2, 2, 20), (3, 3, 30), (4, 1, 40)",
)
GOOD = {"001_note.sql": "ALTER TABLE orders ADD COLUMN note text;\n"}
ENVIRON = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("DRIFTFLOW_", "PG")) and name not in {"CI", "NO_COLOR"}
}
SECRET = f"Sesam-{secrets.token_hex(6)}"
"""The password of every role here; no output, file or row may ever hold it."""

CATALOG = """
SELECT n.nspname, c.relname, c.relkind, pg_get_userbyid(c.relowner), c.relacl::text, c.relfilenode,
  (SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || a.attnotnull, ',' ORDER BY a.attnum)
   FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
  (SELECT string_agg(conname || pg_get_constraintdef(oid), ',' ORDER BY conname) FROM pg_constraint WHERE conrelid = c.oid),
  (SELECT string_agg(tgname, ',' ORDER BY tgname) FROM pg_trigger WHERE tgrelid = c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname !~ '^(pg_|information_schema)' ORDER BY 1, 2
"""
OTHERS = """
SELECT 'schema', nspname, nspacl::text FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema)'
UNION ALL SELECT 'function', proname, proacl::text FROM pg_proc WHERE pronamespace = to_regnamespace('public')
UNION ALL SELECT 'publication', pubname, '' FROM pg_publication
UNION ALL SELECT 'database', datname, datacl::text FROM pg_database WHERE datname = current_database() ORDER BY 1, 2
"""


class Project:
    """A folder with migrations and a database. `admin_url` may do everything; `url` is what driftflow is given."""

    def __init__(self, folder: Path, url: str, *, admin_url: str = "", migrations: Mapping[str, str | bytes] = GOOD) -> None:
        self.folder = folder
        self.url = url
        self.admin_url = admin_url or url
        self.vendor = "sqlite" if url.startswith("sqlite") else "postgresql"
        (folder / "migrations").mkdir(parents=True, exist_ok=True)
        self.write(migrations)
        self.execute(*TABLES)

    @property
    def file(self) -> Path:
        return Path(self.admin_url.removeprefix("sqlite:///"))

    def write(self, files: Mapping[str, str | bytes], under: str = "migrations") -> None:
        for name, content in files.items():
            path = self.folder / under / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def execute(self, *statements: str) -> None:
        """Each for itself, as the owner of everything."""
        if self.vendor == "sqlite":
            with closing(sqlite3.connect(self.file, isolation_level=None)) as session:
                for statement in statements:
                    session.execute(statement)
        else:
            with psycopg.connect(self.admin_url, autocommit=True) as server:
                for statement in statements:
                    server.execute(statement.encode())

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        if self.vendor == "sqlite":
            with closing(sqlite3.connect(self.file)) as session:
                return session.execute(query).fetchall()
        with psycopg.connect(self.admin_url, autocommit=True) as server:
            return server.execute(query.encode()).fetchall()

    def state(self) -> str:
        """A digest of all that is in the database: SQLite's file byte for byte, PostgreSQL's catalog and every row of every table."""
        digest = hashlib.sha256()
        if self.vendor == "sqlite":
            digest.update(self.file.read_bytes() if self.file.is_file() else b"")
            return digest.hexdigest()
        with psycopg.connect(self.admin_url) as server:
            for part in (CATALOG, OTHERS):
                digest.update(repr(server.execute(part.encode()).fetchall()).encode())
            tables = server.execute(
                b"SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables"
                b" WHERE schemaname !~ '^(pg_|information_schema)' ORDER BY 1"
            ).fetchall()
            for (table,) in tables:
                digest.update(repr(server.execute(f"SELECT t::text FROM {table} t ORDER BY 1".encode()).fetchall()).encode())
        return digest.hexdigest()

    def run(
        self, *words: str, url: str | None = None, environ: Mapping[str, str] = {}, named: bool = True, seconds: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """The real command line; the database is named unless `named` is off."""
        done = subprocess.run(
            [sys.executable, "-m", "driftflow", *words, *(["--url", url or self.url] if named else [])],
            cwd=self.folder, env={**ENVIRON, **environ}, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        both = done.stdout + done.stderr
        assert "Traceback" not in both, both
        assert SECRET not in both, f"the password was printed by {words}"
        return done

    def run_here(
        self, *words: str, url: str | None = None, environ: Mapping[str, str] = {}, named: bool = True
    ) -> tuple[int, str]:
        """The same entry without a process of its own, which is most of the time; the exit code and standard output."""
        said, beside = io.StringIO(), io.StringIO()
        kept = {name: os.environ.pop(name) for name in set(os.environ) - set(ENVIRON)}
        os.environ.update(environ)
        try:
            with contextlib.chdir(self.folder), contextlib.redirect_stdout(said), contextlib.redirect_stderr(beside):
                status = main([*words, *(["--url", url or self.url] if named else [])])
        finally:
            for name in environ:
                os.environ.pop(name, None)
            os.environ.update(kept)
        assert SECRET not in said.getvalue() + beside.getvalue(), f"the password was printed by {words}"
        return status, said.getvalue()

    def ok(self, *words: str, **how: Any) -> subprocess.CompletedProcess[str]:
        done = self.run(*words, **how)
        assert done.returncode in {0, 1}, f"{words} exited {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def plan(self, *paths: str, **how: Any) -> Path:
        """Makes the plan of the migrations; the file that holds it."""
        self.ok("plan", *(paths or ("migrations",)), "-o", "plan.json", **how)
        return self.folder / "plan.json"

    def refused(self, *words: str, code: str, exit: int, unchanged: bool = True, **how: Any) -> dict[str, Any]:
        """Runs the command twice, as text in a process and as JSON here: one error of the one shape, its code, its exit code, a hint that can be typed, and
        (unless said otherwise) a database that is as it was."""
        before = self.state() if unchanged else ""
        text = self.run(*words, **how)
        said = text.stderr + text.stdout  # what `lint` cannot read stands in its report, beside the findings
        heads = re.findall(r"(?m)^error\[(DF-E\d{3})\]", said)
        assert heads, f"{words} exited {text.returncode}\n{text.stdout}\n{text.stderr}"
        assert (heads[0], text.returncode) == (code, exit), said
        assert "\n  hint: " in said, said
        if unchanged:
            assert self.state() == before, f"{words} changed the database"
        status, document = self.run_here(*words, "--format", "json", **how)
        errors = json.loads(document)["errors"]
        assert status == exit, document
        assert errors[0]["code"] == code, errors
        assert set(errors[0]) == {"code", "summary", "where", "why", "hint", "exit_code"}
        assert errors[0]["exit_code"] == exit
        for error in errors:
            assert errors_report.COMMAND.search(error["hint"]), f"the hint of {error['code']} names no command: {error['hint']!r}"
        if unchanged:
            assert self.state() == before, f"{words} changed the database"
        return {**errors[0], "text": said, "errors": errors}


def steps_of(plan: Path) -> Sequence[dict[str, Any]]:
    return json.loads(plan.read_text())["plan"]["steps"]  # type: ignore[no-any-return]
