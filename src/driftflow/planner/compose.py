"""From migrations to a plan: the one function that the pipeline calls. Pure: everything it needs to know is handed in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from driftflow.config import Policy
from driftflow.dialects.base import Capability, Dialect
from driftflow.dialects.situation import Situation
from driftflow.dialects.walk import situations
from driftflow.model.catalog import Catalog
from driftflow.model.migration import Migration
from driftflow.model.names import Name
from driftflow.model.operations import MoveTable, RenameTable
from driftflow.model.plan import (
    Guard,
    Input,
    Irreversible,
    MigrationRef,
    Plan,
    ToolLock,
)
from driftflow.model.record import replace
from driftflow.planner.choose import draft_all
from driftflow.planner.draft import Draft
from driftflow.planner.estimate import longest_stall, total, with_estimates
from driftflow.planner.gates import with_gates
from driftflow.planner.identify import with_ids
from driftflow.planner.kept_triggers import with_kept_triggers
from driftflow.planner.ledger import Ledger, with_records
from driftflow.planner.order import in_order
from driftflow.planner.relations import footprint, related
from driftflow.planner.rights import lock_rights, trigger_rights
from driftflow.planner.subscribers import with_subscribers
from driftflow.planner.transactions import made_by_release, segmented
from driftflow.planner.trigger_locks import with_trigger_locks
from driftflow.strategies.drops.drop_columns import dependents_of
from driftflow.strategies.spoken import wanted_files


def compose_plan(
    migrations: Sequence[Migration],
    *,
    catalog: Catalog,
    dialect: Dialect,
    policy: Policy,
    folder: Path = Path(),
    inputs: Mapping[str, str] | None = None,
    ledgers: Mapping[str, Ledger] | None = None,
    tool_lock: ToolLock | None = None,
    requires: Sequence[Guard] = (),
    made_with: str = "",
    references: Sequence[str] = (),
) -> Plan:
    """The safe plan of the (parsed) migrations on this catalog.

    `inputs` maps every path of `wanted_files(migrations)` to the SHA-256 of its content.
    `ledgers` maps a migration's `source` to the tool's version table. `references` are places of the application that still use what changes, a
    line each: they join the checklist of the first gate. Raises RefusedError, ParseError, SourceError.
    """
    walked = _situations(migrations, catalog=catalog, dialect=dialect, policy=policy, folder=folder, inputs=inputs or {})
    chosen = draft_all(walked)
    made = made_by_release(chosen.drafts, catalog)
    ordered = segmented(in_order(chosen.drafts), chosen.drafts, catalog)
    placed = with_subscribers(with_gates(ordered, references), catalog)
    steps, told = with_records(
        [one.step for one in placed],
        migrations,
        ledgers or {},
        catalog,
        transactional=dialect.can(Capability.TRANSACTIONAL_DDL, catalog.version),
    )
    steps = with_trigger_locks(with_kept_triggers(steps), catalog, dialect)
    steps = with_estimates(with_ids(steps), catalog, made)
    stall, unknown = longest_stall(steps, made)
    touched = footprint(steps, chosen.drafts, catalog)
    fingerprinted = related(touched, catalog)
    irreversible = {step.undo.name for step in steps if isinstance(step.undo, Irreversible)}
    return Plan(
        dialect=dialect.name,
        server_version=str(catalog.version) if catalog.version is not None else "",
        database=catalog.database,
        migrations=tuple(_reference(migration) for migration in migrations),
        relations=touched,
        catalog_fingerprint=catalog.fingerprint(fingerprinted) if fingerprinted else "",
        fingerprint_relations=fingerprinted,
        steps=tuple(steps),
        tool_lock=tool_lock,
        requires=(*requires, *trigger_rights(steps, dialect, catalog.version), *lock_rights(steps, dialect, catalog.version)),
        inputs=tuple(Input(path=path, sha256=(inputs or {}).get(path, "")) for path in wanted_files(list(migrations))),
        accepted=tuple(sorted(irreversible & set(policy.accept))),
        estimate=total(steps),
        longest_stall=stall,
        notes=tuple(dict.fromkeys((*chosen.notes, *told, *unknown, *_notes(chosen.drafts, catalog)))),
        dependents=tuple(dependents_of(walked)),
        made_with=made_with,
    )


def _situations(
    migrations: Sequence[Migration],
    *,
    catalog: Catalog,
    dialect: Dialect,
    policy: Policy,
    folder: Path,
    inputs: Mapping[str, str],
) -> list[Situation]:
    walked = situations(migrations, catalog=catalog, dialect=dialect, policy=policy, folder=folder, inputs=dict(inputs))
    found = [replace(at, start=catalog) for at in walked]
    _name_later(found)
    return found


def _name_later(found: Sequence[Situation]) -> None:
    """Tell every situation what the tables that it finds are called at the end of the release."""
    if not any(isinstance(situation.operation, RenameTable | MoveTable) for situation in found):
        return
    later: Mapping[Name, Name] = {}
    for situation in reversed(found):
        situation.later = later
        match situation.operation:
            case RenameTable(name=name, renamed=renamed) | MoveTable(name=name, renamed=renamed) if not situation.conflict:
                later = {**{old: new for old, new in later.items() if old != renamed}, name: later.get(renamed, renamed)}
            case _:
                pass


def _reference(migration: Migration) -> MigrationRef:
    return MigrationRef(
        id=migration.id,
        source=migration.source,
        path=migration.path,
        checksum=migration.checksum,
        sha256=migration.sha256,
        name=migration.name,
    )


def _notes(drafts: Sequence[Draft], catalog: Catalog) -> list[str]:
    """What a reader of the plan should know and no step says."""
    notes = []
    if not catalog.complete:
        notes.append("planned without a database: sizes are unknown, so every table counts as large")
    for draft in drafts:
        for at in draft.situations:
            reason = at.effects.unknown
            if reason:
                notes.append(f"{at.statement.span}: planned as it stands, because {reason}")
    return notes
