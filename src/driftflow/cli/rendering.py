"""From a record to a report, by name. The one place that knows how a report is called."""

from __future__ import annotations

from typing import Any

from driftflow.cli.output import Output
from driftflow.errors import UsageError


def render(name: str, record: object, **options: Any) -> str:
    """The record as the report of that name writes it. Raises UsageError naming the reports that there are."""
    from driftflow.plugins import discover

    registry = discover("report")
    entry = registry.get("report", name)
    if entry is None:
        known = ", ".join(one.name for one in registry.of("report"))
        raise UsageError(
            "DF-E107", f"there is no report called {name}", why=f"known reports: {known}", hint="driftflow list reports"
        )
    text: str = entry.value(record, **options)
    return text


PLAN_FORMATS = ("text", "sql", "markdown", "json")


def show_plan(out: Output, plan: object) -> None:
    """The plan in the form that was asked for."""
    if out.format in {"sql", "markdown"}:
        out.result(render(out.format, plan))
    else:
        show(out, plan, text="plan")


def show(out: Output, record: object, *, text: str) -> None:
    """The record as JSON, or as the text report of that name."""
    if out.json:
        out.record(record)
    else:
        out.result(render(text, record, color=out.color, width=out.width))
