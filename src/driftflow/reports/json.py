"""Any record as JSON: sorted keys, two spaces, a newline at the end."""

from __future__ import annotations

from typing import Any

from driftflow.model.record import pretty
from driftflow.plugins import register


@register("report", "json")
def render(record: object, **_: Any) -> str:
    return pretty(record)
