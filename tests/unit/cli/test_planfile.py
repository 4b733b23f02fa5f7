"""A plan file is what was made, or it is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from driftflow.cli.planfile import check_approved, read_plan
from driftflow.config import Policy
from driftflow.errors import PlanFileError, RefusedError, UsageError
from driftflow.model.plan import Plan, RunSql
from driftflow.model.plan_file import encode_plan

PLAN = Plan(
    dialect="sqlite",
    migrations=(),
    catalog_fingerprint="f",
    steps=(RunSql(id="aa.1", purpose="Add a column", statements=("ALTER TABLE a ADD COLUMN b",)),),
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "plan.json"
    path.write_text(encode_plan(PLAN))
    return path


def edited(path: Path, **changes: Any) -> Path:
    document = json.loads(path.read_text())
    document["plan"].update(changes)
    path.write_text(json.dumps(document))
    return path


def test_what_was_written_is_read(file: Path) -> None:
    assert read_plan(file) == PLAN


def test_white_space_is_no_edit(file: Path) -> None:
    file.write_text(json.dumps(json.loads(file.read_text())))
    assert read_plan(file) == PLAN


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"steps": []}, "DF-E341"),
        ({"accepted": ["drop_table main.a"]}, "DF-E341"),
        ({"catalog_fingerprint": "g"}, "DF-E341"),
        ({"lock_timeout": 5}, "DF-E343"),
    ],
)
def test_an_edited_plan_is_refused(file: Path, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(PlanFileError) as caught:
        read_plan(edited(file, **changes))
    assert caught.value.code == code
    assert caught.value.where == str(file)


def test_a_word_that_no_step_has_is_refused(file: Path) -> None:
    document = json.loads(file.read_text())
    document["plan"]["steps"][0]["lock_timeout"] = 5
    file.write_text(json.dumps(document))
    with pytest.raises(PlanFileError):
        read_plan(file)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"plan": 3}', '{"digest": "x", "plan": {"steps": 1}}', "\x00\xff", '"plan"'])
def test_what_is_no_plan_says_so(file: Path, text: str) -> None:
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(PlanFileError) as caught:
        read_plan(file)
    assert caught.value.code == "DF-E340"


def test_a_plan_of_a_newer_driftflow_is_not_guessed_at(file: Path) -> None:
    with pytest.raises(PlanFileError, match="format 2"):
        read_plan(edited(file, format=2, something_new=True))


def test_a_missing_file_is_a_matter_of_the_command_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_plan(tmp_path / "none.json")
    assert caught.value.code == "DF-E132"


def test_a_protected_environment_demands_the_approved_digest() -> None:
    protected = Policy(protected=True)
    check_approved(PLAN, PLAN.digest[:12], policy=protected, environment="production")
    check_approved(PLAN, PLAN.digest, policy=protected, environment="production")
    check_approved(PLAN, "", policy=Policy(), environment="staging")
    for approved, policy in (("", protected), (PLAN.digest[:11], protected), ("0" * 12, protected), ("0" * 12, Policy())):
        with pytest.raises(RefusedError) as caught:
            check_approved(PLAN, approved, policy=policy, environment="production")
        assert caught.value.code == "DF-E394"
