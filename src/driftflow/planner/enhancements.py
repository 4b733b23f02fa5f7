"""What could be better in the migrations, as offers that a person takes or leaves.

Two kinds. An *enhancement* changes what is stored (nullable instead of 0, ciphertext instead of text): it replaces the statement's text.
A *recipe* changes only how the same end is reached: it is what the plan does anyway, and declining it writes `as-is` above the statement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from driftflow.config import Policy
from driftflow.dialects.base import Dialect
from driftflow.dialects.situation import Situation
from driftflow.dialects.walk import situations
from driftflow.model.catalog import Catalog
from driftflow.model.migration import Migration
from driftflow.model.names import Span
from driftflow.model.record import Record
from driftflow.planner.choose import draft_all
from driftflow.plugins import discover

AS_IS = '-- driftflow: as-is reason="{reason}"\n'


class Edit(Record, frozen=True, kw_only=True):
    """`text` takes the place of the characters `start` to `end` of the file."""

    path: str
    start: int
    end: int
    text: str


class Offer(Record, frozen=True, kw_only=True):
    """One thing to take or leave. `id` is `name:migration:line`; stable as long as the file is."""

    id: str
    name: str
    kind: Literal["enhancement", "recipe"]
    title: str
    why: str
    migration: str
    span: Span
    take: Edit | None = None
    """The edit that takes it; None for a recipe, which the plan follows anyway."""
    decline: Edit | None = None
    """The edit that declines a recipe."""
    steps: tuple[str, ...] = ()
    """What a recipe does, a purpose a step."""


def offers(
    migrations: Sequence[Migration],
    *,
    catalog: Catalog,
    dialect: Dialect,
    policy: Policy,
    folder: Path = Path(),
    inputs: Mapping[str, str] | None = None,
) -> tuple[Offer, ...]:
    """Everything there is to offer, in source order; enhancements of a statement before its recipe."""
    walked = tuple(
        situations(migrations, catalog=catalog, dialect=dialect, policy=policy, folder=folder, inputs=dict(inputs or {}))
    )
    found = [*_enhancements(walked), *_recipes(walked)]
    order = {migration.id: number for number, migration in enumerate(migrations)}
    return tuple(sorted(found, key=lambda offer: (order[offer.migration], offer.span.start, offer.kind, offer.id)))


def _enhancements(walked: Sequence[Situation]) -> list[Offer]:
    found = []
    for at in walked:
        for entry in discover("enhancement").of("enhancement"):
            text = entry.value(at.operation, at) if isinstance(at.operation, entry.info["on"]) else ""
            if text:
                found.append(
                    Offer(
                        id=f"{entry.name}:{at.migration.id}:{at.statement.span.line}",
                        name=entry.name,
                        kind="enhancement",
                        title=f"{_about(at)}: {entry.info['title']}",
                        why=entry.info["why"],
                        migration=at.migration.id,
                        span=at.statement.span,
                        take=Edit(
                            path=at.migration.path,
                            start=at.statement.span.start,
                            end=at.statement.span.end,
                            text=text.rstrip().removesuffix(";"),
                        ),
                    )
                )
    return found


def _recipes(walked: Sequence[Situation]) -> list[Offer]:
    found = []
    for draft in draft_all(walked).drafts:
        at = draft.at
        as_written = [getattr(step, "statements", ()) for step in draft.steps] == [(at.statement.sql,)]
        if draft.direct or draft.verifies or not draft.steps or as_written:
            continue
        found.append(
            Offer(
                id=f"{draft.strategy}:{at.migration.id}:{at.statement.span.line}",
                name=draft.strategy,
                kind="recipe",
                title=f"{_about(at)}: {draft.strategy.replace('_', ' ')}",
                why=f"{len(draft.steps)} step{'s' if len(draft.steps) > 1 else ''} instead of one statement",
                migration=at.migration.id,
                span=at.statement.span,
                decline=Edit(
                    path=at.migration.path,
                    start=at.statement.span.start,
                    end=at.statement.span.start,
                    text=AS_IS.format(reason="declined in driftflow enhance"),
                ),
                steps=tuple(step.purpose for step in draft.steps),
            )
        )
    return found


def _about(at: Situation) -> str:
    operation = at.operation
    table = getattr(operation, "table", None) or getattr(getattr(operation, "index", None), "table", None)
    column = getattr(operation, "column", "")
    name = getattr(column, "name", column)
    return ".".join(part for part in (getattr(table, "name", ""), name) if isinstance(part, str) and part) or at.migration.id


def edited(texts: Mapping[str, str], edits: Sequence[Edit]) -> dict[str, str]:
    """The files (path to text) with the edits made. Raises ValueError when two edits overlap."""
    out = dict(texts)
    for path in texts:
        mine = sorted((edit for edit in edits if edit.path == path), key=lambda edit: (edit.start, edit.end), reverse=True)
        border = len(texts[path]) + 1
        for edit in mine:
            if edit.end > border:
                raise ValueError(f"two of the chosen edits change the same place of {path}")
            out[path] = out[path][: edit.start] + edit.text + out[path][edit.end :]
            border = edit.start
    return out


def chosen_edits(found: Sequence[Offer], taken: Sequence[str]) -> tuple[Edit, ...]:
    """The edits that take the named enhancements and decline every recipe that is not named."""
    wanted = set(taken)
    edits = []
    for offer in found:
        edit = offer.take if offer.id in wanted else offer.decline
        if edit is not None:
            edits.append(edit)
    return tuple(edits)
