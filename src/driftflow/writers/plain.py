"""Plain SQL files: the original's name with a number behind it, and a down file beside each."""

from __future__ import annotations

from driftflow.dialects.base import Dialect
from driftflow.model.migration import Migration
from driftflow.writers.base import Part, Rewrite, Written, all_lost, body, following, header, slug_of, writer
from driftflow.writers.versions import no_room


@writer("plain")
class PlainWriter:
    """`002_orders.sql`, `002_orders_2_backfill.sql`, ..., and `002_orders.down.sql`."""

    name = "plain"

    def needs(self, migration: Migration) -> tuple[str, ...]:
        return ()

    def write(self, rewrite: Rewrite, dialect: Dialect) -> Written:
        folder, slash, name = rewrite.migration.path.rpartition("/")
        stem, ending = rewrite.migration.id, ".up.sql" if name.endswith(".up.sql") else ".sql"
        width = len(str(len(rewrite.parts)))
        stems = [stem]
        stems += [f"{stem}_{index:0{width}d}_{slug_of(part, index)}" for index, part in enumerate(rewrite.parts[1:], 2)]
        after = following(rewrite)
        bound = after.path.rpartition("/")[2] if after else ""
        if not all(name < f"{one}{ending}" and (not bound or f"{one}{ending}" < bound) for one in stems[1:]):
            raise no_room(rewrite.migration.path, "a plain SQL source", len(stems) - 1)
        files: dict[str, bytes] = {}
        for one, part in zip(stems, rewrite.parts, strict=True):
            files[f"{folder}{slash}{one}{ending}"] = _file(part)
            if part.down:
                files[f"{folder}{slash}{one}.down.sql"] = body(part.down).encode()
        back = f"{folder}{slash}{stem}.down.sql"
        removed = (back,) if rewrite.migration.down and back not in files else ()
        return Written(files=files, removed=removed, lost=all_lost(rewrite.parts))


def _file(part: Part) -> bytes:
    """The mode is always said: how a file without a word is run depends on its statements."""
    mode = "single" if part.transaction else "none"
    return f"-- driftflow: file transaction={mode}\n{header(part)}{body(part.statements)}".encode()
