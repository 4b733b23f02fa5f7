"""Plan files: what was written comes back; what was edited, damaged or is not known is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))
import planning
from driftflow.errors import PlanFileError
from driftflow.model.plan_file import decode_plan, encode_plan


@pytest.fixture(scope="module")
def text() -> str:
    dialect = planning.named("postgresql")
    return encode_plan(planning.plan_folder(planning.EXAMPLES / "tenants/postgresql/enhanced", dialect))


def test_there_and_back(text: str) -> None:
    assert encode_plan(decode_plan(text)) == text
    assert text.endswith("}\n")


PRINT = """
import sys
sys.path.insert(0, {tests!r})
import planning
plan = planning.plan_folder(planning.EXAMPLES / "tenants/postgresql/enhanced", planning.named("postgresql"))
print(plan.digest, [step.id for step in plan.steps])
"""


def test_the_digest_does_not_depend_on_the_process() -> None:
    """Another hash seed orders sets otherwise: nothing of that may reach a plan."""
    code = PRINT.format(tests=str(Path(__file__).parents[2]))
    seen = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(seen) == 1


def changed(text: str, change) -> str:
    raw = json.loads(text)
    change(raw)
    return json.dumps(raw)


def edit_sql(raw) -> None:
    raw["plan"]["steps"][0]["statements"][0] = "DROP TABLE orders"


def edit_limit(raw) -> None:
    raw["plan"]["steps"][0]["lock_timeout_ms"] = 60_000


def edit_undo(raw) -> None:
    raw["plan"]["steps"][0]["undo"]["steps"][0]["statements"][0] = "SELECT 1"


def drop_gate(raw) -> None:
    raw["plan"]["steps"] = [step for step in raw["plan"]["steps"] if step["kind"] != "gate"]


def accept_more(raw) -> None:
    raw["plan"]["accepted"] = ["drop_table public.orders"]


@pytest.mark.parametrize("change", [edit_sql, edit_limit, edit_undo, drop_gate, accept_more])
def test_an_edit_is_noticed(text: str, change) -> None:
    with pytest.raises(PlanFileError) as caught:
        decode_plan(changed(text, change), where="plan.json")
    assert caught.value.code == "DF-E341"


def test_an_edited_estimate_changes_nothing_that_is_done(text: str) -> None:
    def edit(raw) -> None:
        raw["plan"]["notes"] = ["read on a Monday"]

    assert decode_plan(changed(text, edit)).notes == ("read on a Monday",)


def test_an_unknown_field_is_refused_with_its_path(text: str) -> None:
    def edit(raw) -> None:
        raw["plan"]["steps"][1]["parallel"] = True

    with pytest.raises(PlanFileError, match=r"plan\.steps\[1\]\.parallel") as caught:
        decode_plan(changed(text, edit))
    assert caught.value.code == "DF-E343"


def test_a_newer_format_is_refused(text: str) -> None:
    def edit(raw) -> None:
        raw["plan"]["format"] = 99

    with pytest.raises(PlanFileError) as caught:
        decode_plan(changed(text, edit))
    assert caught.value.code == "DF-E342"


@pytest.mark.parametrize("damaged", ["", "{", "[]", '{"digest": "x"}', '{"digest": "x", "plan": {"steps": 3}}', "\x00"])
def test_what_is_no_plan_file_is_refused(damaged: str) -> None:
    with pytest.raises(PlanFileError) as caught:
        decode_plan(damaged)
    assert caught.value.code == "DF-E340"
