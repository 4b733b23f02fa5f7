"""Triggers of the application that say a column's name: while the column has two names they see the row under one of them."""

from __future__ import annotations

import re

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Catalog, Table, Trigger, is_ours
from driftflow.model.operations.left_naming import says, trigger_text
from driftflow.patterns import lazy_regex

MEND = "put a function that says the new name into the release"
OF_OLD = lazy_regex(r"\bOLD\s*\.\s*(\w+|\"[^\"]*\"|`[^`]*`|\[[^\]]*\])", re.IGNORECASE)


def behind_a_view(at: Situation, table: Table, column: str) -> str:
    """Why a view may not take the table's place, as a sentence; empty where it may: the column itself bears the new name at once, and whoever writes the table fails on
    a trigger whose function says the old one when the release is through."""
    final = at.final or at.catalog
    end = final.table(at.later.get(table.name, table.name)) or table
    found = [one for one in end.triggers if _is_meant(one) and says(trigger_text(final, one), column)]
    return (
        f"the trigger {found[0].name} says {column} in its function, and would fail from the rename on: {MEND}" if found else ""
    )


def beside_a_column(at: Situation, table: Table, *names: str) -> str:
    """Why no second column may stand beside the first, as a sentence; empty where it may: a trigger of the application that looks before the two are equal
    finds nothing under the name that the other application does not write."""
    late = at.can(Capability.SINGLE_WRITER)  # there ours comes after every other one
    for catalog in (at.catalog, at.final or at.catalog):
        held = catalog.table(table.name)
        for one in held.triggers if held is not None else ():
            looks = not _follows_ours(one) if late else one.timing == "BEFORE"
            if _is_meant(one) and looks and any(_says(catalog, one, name) for name in names):
                return (
                    f"the trigger {one.name} says its name, and looks at the row before ours has made the two equal:"
                    " what the other application writes would be NULL to it"
                )
    return ""


def _follows_ours(trigger: Trigger) -> bool:
    """Whether it fires for an UPDATE of certain columns alone: then also for that by which ours makes the two equal (SQLite), and the row is right by then."""
    return bool(trigger.update_columns) and "INSERT" not in trigger.events


def _says(catalog: Catalog, trigger: Trigger, name: str) -> bool:
    """Of the new row, or of the table that it reads. The row as it was (OLD) had both."""
    text = trigger_text(catalog, trigger)
    of_new = rf"\bNEW\s*\.\s*[\"`\[]?{re.escape(name)}(?!\w)"
    reads = rf"\b(FROM|JOIN|UPDATE)\s+(\w+\s*\.\s*)?[\"`\[]?{re.escape(trigger.table.name)}(?!\w)"
    return bool(re.search(of_new, text, re.IGNORECASE)) or (
        bool(re.search(reads, text, re.IGNORECASE)) and says(OF_OLD.sub("", text), name)
    )


def _is_meant(trigger: Trigger) -> bool:
    """Whether it fires for a row that is inserted or updated."""
    return not is_ours(trigger.name) and bool({"INSERT", "UPDATE"} & set(trigger.events))
