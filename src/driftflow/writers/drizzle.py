"""Drizzle files and their entries in the journal. Drizzle runs all pending migrations in one transaction, and has no down part."""

from __future__ import annotations

import json
import re
from typing import Any

from driftflow.dialects.base import Dialect
from driftflow.errors import SourceError
from driftflow.model.migration import Migration
from driftflow.readers.drizzle import BREAKPOINT, JOURNAL, SCRIPT
from driftflow.writers.base import (
    Part,
    Rewrite,
    Written,
    all_lost,
    always_inside,
    following,
    header,
    refuse_text,
    slug_of,
    terminated,
    writer,
)
from driftflow.writers.prisma import folder_names
from driftflow.writers.versions import no_room

_ONE_TRANSACTION = "Drizzle runs all pending migrations in one transaction: every lock is held until the last of them is done"
_SNAPSHOT = "no snapshot was written for the new files; drizzle-kit goes on from the last one"


@writer("drizzle")
class DrizzleWriter:
    """`0001_name.sql`, `0001_name_2_backfill.sql`, ..., and `meta/_journal.json`."""

    name = "drizzle"

    def needs(self, migration: Migration) -> tuple[str, ...]:
        return () if migration.path.endswith(f"/{SCRIPT}") else (_journal_path(migration),)

    def write(self, rewrite: Rewrite, dialect: Dialect) -> Written:
        parts = always_inside(rewrite.parts, "Drizzle")
        refuse_text(parts, re.compile(re.escape(BREAKPOINT)), tool="Drizzle", rewrite=rewrite)
        slugs = [slug_of(part, index) for index, part in enumerate(parts[1:], 2)]
        folders = rewrite.migration.path.endswith(f"/{SCRIPT}")
        files = _folders(rewrite, parts, slugs) if folders else _journaled(rewrite, parts, slugs)
        lost = (*all_lost(parts), *((_ONE_TRANSACTION, _SNAPSHOT) if len(parts) > 1 else ()))
        return Written(files=files, lost=lost)


def _folders(rewrite: Rewrite, parts: tuple[Part, ...], slugs: list[str]) -> dict[str, bytes]:
    root = rewrite.migration.path.rpartition(f"{rewrite.migration.id}/")[0]
    names = [rewrite.migration.id, *folder_names(rewrite, slugs, tool="Drizzle")]
    return {f"{root}{name}/{SCRIPT}": _file(part) for name, part in zip(names, parts, strict=True)}


def _journaled(rewrite: Rewrite, parts: tuple[Part, ...], slugs: list[str]) -> dict[str, bytes]:
    root = rewrite.migration.path.rpartition(f"{rewrite.migration.id}.sql")[0]
    tag = rewrite.migration.id
    tags = [tag, *(f"{tag}_{index}_{slug}" for index, slug in enumerate(slugs, 2))]
    files = {f"{root}{one}.sql": _file(part) for one, part in zip(tags, parts, strict=True)}
    if len(tags) > 1:
        files[_journal_path(rewrite.migration)] = _journal(rewrite, tags)
    return files


def _journal(rewrite: Rewrite, tags: list[str]) -> bytes:
    """The journal with the new entries behind the original's: times one millisecond apart, numbers counted anew."""
    journal = _known(rewrite)
    entries: list[dict[str, Any]] = journal["entries"]
    position = next(index for index, entry in enumerate(entries) if entry["tag"] == tags[0])
    first = entries[position]
    after = following(rewrite)
    if after is not None and int(first["when"]) + len(tags) > int(after.native["when"]):
        raise no_room(rewrite.migration.path, "Drizzle", len(tags) - 1)
    added = [{**first, "when": int(first["when"]) + step, "tag": tag} for step, tag in enumerate(tags)]
    entries[position : position + 1] = added
    for index, entry in enumerate(entries):
        entry["idx"] = index
    return json.dumps(journal, indent=2).encode()


def _known(rewrite: Rewrite) -> dict[str, Any]:
    path = _journal_path(rewrite.migration)
    if path not in rewrite.files:
        raise SourceError(
            "DF-E232", "the journal is missing", where=path, why="new entries go into it", hint="restore it from version control"
        )
    journal: dict[str, Any] = json.loads(rewrite.files[path])
    return journal


def _journal_path(migration: Migration) -> str:
    return migration.path.rpartition(f"{migration.id}.sql")[0] + JOURNAL


def _file(part: Part) -> bytes:
    """A breakpoint between statements, as drizzle-kit writes it."""
    return (header(part) + f"\n{BREAKPOINT}\n".join(terminated(sql) for sql in part.statements)).encode()
