"""diesel folders: one for each part, `metadata.toml` where there must be no transaction."""

from __future__ import annotations

from driftflow.dialects.base import Dialect
from driftflow.model.migration import Migration
from driftflow.readers.diesel import DOWN, METADATA, UP, version_of
from driftflow.writers.base import (
    Part,
    Rewrite,
    Written,
    all_lost,
    body,
    following,
    header,
    one_by_one,
    one_flag,
    slug_of,
    writer,
)
from driftflow.writers.versions import between


@writer("diesel")
class DieselWriter:
    """`2024-01-02-000000_name/up.sql`, `2024-01-02-000001_build_index/up.sql`, ..."""

    name = "diesel"

    def needs(self, migration: Migration) -> tuple[str, ...]:
        return ()

    def write(self, rewrite: Rewrite, dialect: Dialect) -> Written:
        parts = one_flag(one_by_one(rewrite.parts, dialect))
        folder = rewrite.migration.path.rpartition("/")[0]
        parent, slash, name = folder.rpartition("/")
        after = following(rewrite)
        versions = between(
            name.partition("_")[0],
            len(parts) - 1,
            fits=lambda one: after is None or version_of(one) < after.id,
            where=rewrite.migration.path,
            tool=self.name,
        )
        names = [name]
        names += [
            f"{version}_{slug_of(part, index)}" for index, (version, part) in enumerate(zip(versions, parts[1:], strict=True), 2)
        ]
        files: dict[str, bytes] = {}
        for one, part in zip(names, parts, strict=True):
            files |= {f"{parent}{slash}{one}/{file}": data for file, data in _files(part).items()}
        removed = (f"{folder}/{METADATA}",) if rewrite.migration.transaction != "single" and parts[0].transaction else ()
        return Written(files=files, removed=removed, lost=all_lost(parts))


def _files(part: Part) -> dict[str, bytes]:
    """diesel's flag speaks of both directions."""
    files = {UP: f"{header(part)}{body(part.statements)}".encode(), DOWN: body(part.down).encode()}
    if not part.transaction:
        files[METADATA] = b"run_in_transaction = false\n"
    return files
