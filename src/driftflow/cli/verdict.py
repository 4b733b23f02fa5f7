"""An assessment as output, and the exit code that the threshold makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

from driftflow.cli.output import Output
from driftflow.cli.rendering import render, show

if TYPE_CHECKING:
    from driftflow.model.finding import Assessment


FORMATS = ("text", "json", "markdown", "sarif", "junit", "github", "gitlab")
"""What `lint` and `assess` can be read as: by people, by code hosts, by the collectors of test results."""


def verdict(out: Output, assessment: Assessment, fail_on: str) -> int:
    """Prints the assessment; 2 when a file could not be read, 1 when something at or above the threshold was found, else 0."""
    if out.format in {"text", "json"}:
        show(out, assessment, text="text")
    else:
        out.result(render("assessment-markdown" if out.format == "markdown" else out.format, assessment, fail_on=fail_on))
    if assessment.errors:
        return max(error.exit_code for error in assessment.errors)
    if fail_on == "never":
        return 0
    return 0 if assessment.verdict(cast(Literal["info", "warning", "error"], fail_on)) else 1
