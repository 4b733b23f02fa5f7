"""What a person at a narrow terminal reads: folded lines, steps by number, and next commands that can be typed."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from driftflow.cli.detect import find_sources
from driftflow.cli.main import main
from driftflow.cli.options import FORMATS
from driftflow.cli.output import Output
from driftflow.cli.planfile import apply_command
from driftflow.cli.verdict import FORMATS as VERDICTS
from driftflow.drivers.postgresql import _reason
from driftflow.model import event as events
from driftflow.model.effects import Estimate
from driftflow.model.names import Name
from driftflow.model.plan import Backfill, Gate, Irreversible, Plan, RunSql, UndoNothing
from driftflow.model.record import replace
from driftflow.reports import plan_markdown, plan_text
from driftflow.reports.plan_words import summary_line
from driftflow.reports.progress import Story
from driftflow.reports.style import BOLD, RESET, fold

PLAN = Plan(
    dialect="postgresql",
    server_version="18.4",
    database="shop",
    migrations=("1",),
    catalog_fingerprint="f",
    steps=(
        RunSql(id="aa.1", purpose="Add orders.tenant_id, nullable", statements=("ALTER TABLE orders ADD COLUMN tenant_id uuid",)),
        Backfill(id="bb.1", purpose="Fill orders.tenant_id", table=Name(schema="public", name="orders"), key=("id",)),
        Gate(id="cc.1", purpose="Wait", name="deployed", question="Is the new version running everywhere, the old one nowhere?"),
    ),
    longest_stall=Estimate(low=0, high=300, unit="ms", basis="step aa.1 (Add orders.tenant_id): readers wait for a moment"),
)


def test_a_line_is_folded_between_words_and_hangs_under_its_text() -> None:
    line = "      lock      ACCESS EXCLUSIVE on public.orders, for an instant; readers and writers wait"
    folded = fold(line, hang=16, width=50)
    assert folded == [
        "      lock      ACCESS EXCLUSIVE on public.orders,",
        "                for an instant; readers and",
        "                writers wait",
    ]
    assert fold(line, hang=16, width=None) == [line]
    assert fold(line, hang=16, width=len(line)) == [line]


def test_colours_take_no_room_and_a_long_word_stays_whole() -> None:
    painted = f"{BOLD}{'a' * 30}{RESET} {'b' * 9}"
    assert fold(painted, hang=2, width=40) == [painted]
    assert fold("x " + "y" * 60, hang=2, width=40) == ["x", "  " + "y" * 60]


@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_plan_fits_the_terminal_and_loses_no_word(width: int) -> None:
    folded = plan_text.render(PLAN, width=width)
    assert [line for line in folded.splitlines() if len(line) > width and " " in line.strip()] == []
    assert folded.split() == plan_text.render(PLAN).split()


def test_steps_are_counted_as_they_are_numbered() -> None:
    assert summary_line(PLAN) == "Plan: 1 migration, 3 steps (1 gate) for postgresql 18.4 (shop)"
    assert "\n   3. " in plan_text.render(PLAN)


def test_the_longest_stall_names_its_step_by_number() -> None:
    said = "300 ms at most: step 1 (Add orders.tenant_id): readers wait for a moment"
    assert f"longest stall   {said}" in plan_text.render(PLAN)
    assert f"**Longest stall:** {said}" in plan_markdown.render(PLAN)


def test_what_stands_behind_a_command_is_a_comment_of_the_shell(capsys: pytest.CaptureFixture[str]) -> None:
    Output().next("driftflow gate open r1 deployed", "driftflow resume r1    # behind it", join="then")
    assert capsys.readouterr().out == "\nnext: driftflow gate open r1 deployed\nthen: driftflow resume r1    # behind it\n"
    assert shlex.split("driftflow resume r1    # behind it", comments=True) == ["driftflow", "resume", "r1"]


def test_apply_is_named_without_the_snapshot_that_planned_it() -> None:
    assert apply_command(PLAN, Path("my plan.json"), ("--env", "production")) == "driftflow apply 'my plan.json' --env production"


def test_letters_in_the_wrong_order_are_a_known_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lnit"]) == 2
    assert "hint: driftflow lint" in capsys.readouterr().err


def test_a_command_without_its_run_says_where_runs_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pause"]) == 2
    said = capsys.readouterr().err
    assert "which run?" in said
    assert "hint: driftflow status" in said


@pytest.mark.parametrize("form", sorted(set(VERDICTS) - set(FORMATS)))
def test_lint_for_other_readers_says_only_the_report_on_standard_output(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "001_a.sql").write_text("UPDATE orders SET status = 'new';\n")
    assert main(["lint", str(tmp_path), "--format", form, "--dialect", "postgresql"]) == 1
    said = capsys.readouterr()
    assert "DF704" in said.out
    assert "next:" not in said.out
    assert "next:" in said.err


def test_a_foreign_key_whose_columns_nobody_knows_gets_no_query(capsys: pytest.CaptureFixture[str]) -> None:
    add = "ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users"
    assert main(["effects", add, "--dialect", "postgresql"]) == 0
    said = capsys.readouterr().out
    assert "public.orders" in said and "public.users" in said
    assert "SELECT" not in said
    assert main(["effects", f"{add} (id)", "--dialect", "postgresql"]) == 0
    assert "parent.id = child.user_id" in capsys.readouterr().out


def test_one_file_in_a_folder_called_migrations_is_found(tmp_path: Path) -> None:
    for folder in ("db/migrations", "sql"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "001_a.sql").write_text("SELECT 1;\n")
    assert [source.folder for source in find_sources(tmp_path)] == ["db/migrations"]


def test_why_a_server_cannot_be_reached_is_what_happened() -> None:
    text = 'connection to server at "::1", port 1 failed: Connection refused\n\tIs the server running on that host?'
    assert _reason(text) == 'connection to server at "::1", port 1 failed: Connection refused'
    assert _reason("") == ""


def test_a_rollback_says_what_stays_and_what_there_was_nothing_of() -> None:
    lost = replace(PLAN.steps[1], undo=Irreversible(reason="the old values are not kept", name="update orders"))
    story = Story(replace(PLAN, steps=(replace(PLAN.steps[0], undo=UndoNothing(reason="empty")), lost)))
    told = [
        line
        for step in ("bb.1", "aa.1")
        for line in story.lines(events.StepUndone(run="r1", at="2026-01-01T00:00:00.000000Z", step=step))
    ]
    assert told == [
        "stays as it is, as was accepted: [2/2] Fill orders.tenant_id",
        "nothing to take back of [1/2] Add orders.tenant_id, nullable",
    ]


def test_a_run_that_was_taken_up_says_so_calmly() -> None:
    taken = events.TakenOver(run="r1", at="2026-01-01T00:00:00.000000Z", by="db1:20", previous="db1:10")
    assert list(Story().lines(taken)) == ["db1:20 goes on where db1:10 stopped"]
