"""One shape for every error, as text and as JSON; a bug is told apart and names its place."""

from __future__ import annotations

import json

from driftflow.errors import ConfigError, OutcomeUnknownError, RefusedError
from driftflow.reports import errors

REFUSED = RefusedError(
    "DF-E301",
    "the plan was edited",
    where="plan.json\nstep 3",
    why="its digest does not match",
    hint="driftflow plan -o plan.json",
)


def test_text_has_four_parts_and_colour_adds_no_words() -> None:
    plain = errors.render_text(REFUSED)
    assert plain.splitlines() == [
        "error[DF-E301] the plan was edited",
        "  at plan.json",
        "     step 3",
        "  because its digest does not match",
        "  hint: driftflow plan -o plan.json",
    ]
    colored = errors.render_text(REFUSED, color=True)
    for code in (errors.RED, errors.BOLD, errors.DIM, errors.RESET):
        colored = colored.replace(code, "")
    assert colored == plain


def test_json_carries_every_error_of_a_group() -> None:
    group = ExceptionGroup("two", [REFUSED, ExceptionGroup("one", [ConfigError("DF-E101", "no")])])
    found = errors.flatten(group)
    assert [error["code"] for error in json.loads(errors.render_json(found))["errors"]] == ["DF-E301", "DF-E101"]
    assert errors.exit_code(found) == 3


def test_the_gravest_error_decides_the_exit_code() -> None:
    unknown = OutcomeUnknownError("DF-E501", "nobody knows")
    assert errors.exit_code((REFUSED, unknown)) == 5
    assert errors.exit_code((REFUSED, unknown, errors.bug(ValueError("x")))) == 70


def test_a_bug_is_one_error_that_says_how_to_report_it() -> None:
    try:
        errors.render_json(3)  # type: ignore[arg-type]
    except TypeError as fault:
        (told,) = errors.flatten(fault)
    assert (told.code, told.exit_code) == ("DF-E900", 70)
    assert told.where.startswith("driftflow/reports/errors.py:")
    assert told.why.startswith("TypeError: ")
    assert "DRIFTFLOW_TRACEBACK=1" in told.hint
