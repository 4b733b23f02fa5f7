"""DF414: ALTER EXTENSION ... UPDATE runs the extension's own scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from driftflow.checks.base import check, finding
from driftflow.dialects.situation import Situation
from driftflow.model.finding import Finding, Remedy
from driftflow.model.operations import AlterObject
from driftflow.patterns import lazy_regex

_UPDATE = lazy_regex(r"\bupdate\b", re.IGNORECASE)


@check(
    "DF414",
    on=AlterObject,
    page="table/extension-updated",
    title="An extension update runs scripts that nobody here has read",
    dialects=("postgresql",),
)
def extension_updated(operation: AlterObject, at: Situation) -> Iterator[Finding]:
    if operation.kind != "extension" or operation.action != "alter" or not _UPDATE.search(operation.sql):
        return
    name = operation.name.name if operation.name is not None else "the extension"
    yield finding(
        at,
        f"the update of {name} runs scripts of its own: what they lock is not known",
        axis="blocks",
        severity="warning",
        why="there is rarely a way back to the old version, and the new one must be installed on every replica first",
        remedy=Remedy(
            summary="name the version, and see pg_extension_update_paths for the scripts that run; rehearse it on a copy",
            sql=f"SELECT path FROM pg_extension_update_paths('{name}') WHERE path IS NOT NULL;",
        ),
        known_by="rule",
        near=name,
    )
