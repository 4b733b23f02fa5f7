"""The commands around a run, as processes on real databases: what they print, what they exit with, and that they reach a run elsewhere."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from driftflow.drivers.urls import connector_for
from driftflow.lab import sqlite

ROWS = {"postgresql": 60_000, "sqlite": 300_000}
"""So many that a backfill takes some seconds at the slow pace below."""
TABLE = "CREATE TABLE orders (id integer PRIMARY KEY, user_id integer NOT NULL, balance integer NOT NULL DEFAULT 0)"
FILL = {
    "postgresql": f"INSERT INTO orders SELECT n, 1 + n % 1000, 0 FROM generate_series(1, {ROWS['postgresql']}) AS n",
    "sqlite": f"WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {ROWS['sqlite']})"
    " INSERT INTO orders SELECT n, 1 + n % 1000, 0 FROM s",
}
MIGRATIONS = {
    "001_note.sql": "ALTER TABLE orders ADD COLUMN note text;\n",
    "002_balance.sql": "UPDATE orders SET balance = balance + 1;\n",
}
ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith("DRIFTFLOW_")}
SLOWLY = {**ENVIRON, "DRIFTFLOW_CHUNK_TARGET_MS": "40", "DRIFTFLOW_REST_PERCENT": "800"}


class Project:
    """A folder with migrations, a database, and driftflow as a process in it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.vendor = "sqlite" if url.startswith("sqlite") else "postgresql"
        self.children: list[subprocess.Popen[str]] = []
        (folder / "migrations").mkdir(parents=True)
        for name, text in MIGRATIONS.items():
            (folder / "migrations" / name).write_text(text)
        self.execute(TABLE, FILL[self.vendor], "ANALYZE")

    def execute(self, *statements: str) -> None:
        with closing(connector_for(self.url).connect("test")) as connection:
            for statement in statements:
                connection.begin()
                connection.execute(statement)
                connection.commit()

    def value(self, query: str) -> Any:
        with closing(connector_for(self.url).connect("test")) as connection:
            return connection.query(query)[0][0]

    def run(self, *words: str, code: int = 0, url: bool = True, environ: dict[str, str] = ENVIRON) -> str:
        """Standard output; the exit code is as expected, or everything is shown."""
        done = subprocess.run(
            [sys.executable, "-m", "driftflow", *words, *(["--url", self.url] if url else [])],
            cwd=self.folder, env=environ, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == code, f"{words} exited {done.returncode}\n{done.stdout}\n{done.stderr}"
        self.said = done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout

    def json(self, *words: str, code: int = 0, url: bool = True) -> Any:
        return json.loads(self.run(*words, "--format", "json", code=code, url=url))

    def plan(self, *words: str) -> list[str]:
        """Makes the plan; the options that accept what it cannot take back."""
        made = json.loads(self.run("plan", "migrations", "--format", "json", *words, environ=SLOWLY))
        lost = [step["undo"]["name"] for step in made["steps"] if step["undo"]["undo"] == "irreversible"]
        return [word for name in lost for word in ("--accept", name)]

    def start(self, *words: str, environ: Mapping[str, str] = {}) -> subprocess.Popen[str]:
        """A run in the background, that has begun its backfill."""
        child = subprocess.Popen(
            [sys.executable, "-m", "driftflow", *words, "--url", self.url],
            cwd=self.folder, env={**ENVIRON, **environ}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        self.children.append(child)
        self.wait(
            lambda: any(one["state"] == "running" and one.get("rows", 0) > 0 for one in self.runs()) or child.poll() is not None
        )
        return child

    def end(self) -> None:
        """Nothing of ours goes on when a test is over."""
        for child in self.children:
            child.kill()
            child.communicate(timeout=30)

    def runs(self) -> list[dict[str, Any]]:
        runs: list[dict[str, Any]] = self.json("status")
        return runs

    def wait(self, true: Any, seconds: float = 30) -> None:
        until = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < until, "it did not come to pass"
            time.sleep(0.1)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Project]:
    """On SQLite and on one PostgreSQL: what the versions do differently is tested elsewhere."""
    with ExitStack() as stack:
        yield _project(request.param, tmp_path, stack)


def _project(vendor: str, tmp_path: Path, stack: ExitStack) -> Project:
    if vendor == "sqlite":
        made = Project(tmp_path / "project", f"sqlite:///{sqlite.create(tmp_path / 'shop.db')}")
    else:
        from driftflow.lab import servers

        found = servers.server(18)
        if found is None:
            pytest.skip("no PostgreSQL 18: pip install 'driftflow[lab]'")
        server = stack.enter_context(found.open())
        made = Project(tmp_path / "project", server.create_database())
    stack.callback(made.end)
    return made


def test_a_run_from_the_first_question_to_the_way_back(project: Project) -> None:
    (project.folder / "migrations" / "002_balance.sql").unlink()
    assert [one["pending"] for one in project.json("sources", "migrations")] == [["001_note"]]
    project.plan()
    shown = project.run("show", url=False)
    assert "\nALTER TABLE orders ADD COLUMN note text;" in project.run("show", "--format", "sql", url=False)
    assert "| " in project.run("show", "--format", "markdown", url=False)
    digest = json.loads((project.folder / "driftflow-plan.json").read_text())["digest"]
    assert digest in shown

    told = project.json("apply", "--events", "events.jsonl", "--metrics", "run.prom")
    assert told["state"] == "done"
    assert "[1/" in project.said
    kinds = [json.loads(line)["kind"] for line in (project.folder / "events.jsonl").read_text().splitlines()]
    assert (kinds[0], kinds[-1]) == ("run_started", "run_done")
    assert 'driftflow_run="done"} 1' in (project.folder / "run.prom").read_text()
    assert project.value("SELECT count(note) FROM orders") == 0

    (run,) = project.runs()
    assert (run["state"], run["run"]) == ("done", told["run"])
    assert project.json("plan", "migrations").get("steps", []) == [], "the tool's own table says that nothing is pending"
    assert "run_done" in project.run("watch", run["run"], "--format", "json")

    assert "DF-E395" in project.run("rollback", run["run"], code=3) + project.said
    assert project.json("rollback", run["run"], "--yes")["state"] == "rolled_back"
    assert [one["pending"] for one in project.json("sources", "migrations")] == [["001_note"]]


def test_pause_throttle_resume_and_abort_reach_a_run_in_another_process(project: Project) -> None:
    accept = project.plan()
    # However fast the machine is, it is still running at the throttle, and then at the abort.
    child = project.start("apply", *accept, environ={"DRIFTFLOW_CHUNK_TARGET_MS": "10", "DRIFTFLOW_REST_PERCENT": "9000"})
    id = project.runs()[0]["run"]
    project.run("throttle", id, "2000")
    project.run("pause", id)
    project.wait(lambda: project.runs()[0]["state"] == "paused")
    assert project.runs()[0]["alive"], "it waits in its process"
    before = project.runs()[0]["rows"]
    time.sleep(0.5)
    assert project.runs()[0]["rows"] == before
    project.run("resume", id)
    project.wait(lambda: project.runs()[0].get("rows", 0) > before)
    project.run("abort", id)
    said, _ = child.communicate(timeout=30)
    assert child.returncode == 4, said
    assert project.runs()[0]["state"] == "aborted"
    assert project.json("resume", id, *accept)["state"] == "done"
    assert project.value("SELECT count(*) FROM orders WHERE balance <> 1") == 0


def test_kill_is_survived_and_status_says_what_to_type(project: Project) -> None:
    accept = project.plan()
    child = project.start("apply", *accept)
    child.send_signal(signal.SIGKILL)
    child.communicate(timeout=30)
    done = project.value("SELECT count(*) FROM orders WHERE balance = 1")
    assert 0 < done < ROWS[project.vendor]
    assert f"next: driftflow resume {project.runs()[0]['run']}" in _settled(project)
    assert project.json("apply", *accept)["state"] == "done", "apply of the same plan goes on as well"
    assert len(project.runs()) == 1
    assert project.value("SELECT count(*) FROM orders WHERE balance <> 1") == 0


def _settled(project: Project) -> str:
    """What status prints once the heartbeat of the dead has run out."""
    project.wait(lambda: not project.runs()[0].get("alive"), seconds=40)
    return project.run("status")


def test_sigterm_ends_at_a_safe_point(project: Project) -> None:
    accept = project.plan()
    child = project.start("apply", *accept)
    child.send_signal(signal.SIGTERM)
    said, _ = child.communicate(timeout=15)
    assert child.returncode == 4, said
    assert "next: driftflow resume" in said


def test_a_second_executor_is_refused(project: Project) -> None:
    accept = project.plan()
    child = project.start("apply", *accept)
    project.run("pause", project.runs()[0]["run"])
    told = project.json("apply", *accept, code=3)
    assert told["errors"][0]["code"] == "DF-E502"
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=30)


def test_whoever_waited_for_the_lease_does_not_do_again_what_the_first_one_did(project: Project) -> None:
    """The second one begins while the first is under way, and gets the lease when that one is done."""
    accept = project.plan()
    child = project.start("apply", *accept)
    late = project.start("apply", *accept)
    said, _ = late.communicate(timeout=90)
    assert late.returncode in {0, 3}, f"done by then, or refused while the heartbeat is fresh:\n{said}"
    said, _ = child.communicate(timeout=90)
    assert child.returncode == 0, said
    assert project.value("SELECT count(*) FROM orders WHERE balance <> 1") == 0
    assert [one["state"] for one in project.runs()] == ["done"]


def test_a_protected_environment_wants_the_approved_digest(project: Project) -> None:
    (project.folder / "migrations" / "002_balance.sql").unlink()
    (project.folder / "driftflow.toml").write_text('[environments.live]\nurl_env = "LIVE_URL"\nprotected = true\n')
    environ = {**ENVIRON, "LIVE_URL": project.url}
    project.run("plan", "migrations", "--env", "live", url=False, environ=environ)
    digest = json.loads((project.folder / "driftflow-plan.json").read_text())["digest"]
    project.run("apply", "--env", "live", url=False, environ=environ, code=3)
    assert "DF-E394" in project.said and digest[:12] in project.said
    project.run("apply", "--env", "live", "--approved", digest[:12], url=False, environ=environ)


def test_a_gate_with_a_day_is_named_with_it(project: Project) -> None:
    """A command to type that would be refused until then does not stand there alone."""
    (project.folder / "migrations" / "002_balance.sql").write_text(
        "-- driftflow: soft-drop until=2199-12-31\n-- driftflow: archive\nALTER TABLE orders DROP COLUMN balance;\n"
    )
    accepted = project.plan()
    said = project.run("apply", "driftflow-plan.json", *accepted, code=4)
    while "2199-12-31" not in said:
        run, gate = project.json("status")[0]["run"], project.json("status")[0]["gate"]
        project.run("gate", "open", run, gate)
        said = project.run("resume", *accepted, code=4)
    assert "the gate drop-orders-balance stays shut until 2199-12-31" in said
    (following,) = [line for line in said.splitlines() if line.startswith("next: ")]
    assert following.startswith("next: driftflow gate open ") and following.endswith("    # from 2199-12-31 on")
    project.run(*shlex.split(following.removeprefix("next: driftflow "), comments=True), code=3, url=False)
    assert "DF-E645" in project.said


def test_a_plan_for_another_schema_is_refused(project: Project) -> None:
    accept = project.plan()
    project.execute("ALTER TABLE orders ADD COLUMN somebody_else integer")
    told = project.json("apply", *accept, code=3)
    assert told["errors"][0]["code"] == "DF-E300"
    assert project.value("SELECT count(*) FROM orders WHERE balance = 1") == 0
    assert project.runs() == []


def test_doctor_and_clean_write_nothing_that_was_not_asked_for(project: Project) -> None:
    assert {line["state"] for line in project.json("doctor")} <= {"ok", "warning"}
    assert project.json("clean") == {"would_remove": []}
