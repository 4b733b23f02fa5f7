"""Prisma folders: one for each part, named by the seconds after the original. Prisma has no down part."""

from __future__ import annotations

from driftflow.dialects.base import Dialect
from driftflow.errors import SourceError
from driftflow.model.migration import Migration
from driftflow.readers.prisma import SCRIPT
from driftflow.writers.base import Rewrite, Written, all_lost, body, following, header, one_by_one, slug_of, writer
from driftflow.writers.versions import between, no_room

_ON_SQLITE = "Prisma runs a script on SQLite without a transaction"


@writer("prisma")
class PrismaWriter:
    """`20240101120000_name/migration.sql`, `20240101120001_build_index/migration.sql`, ..."""

    name = "prisma"

    def needs(self, migration: Migration) -> tuple[str, ...]:
        return ()

    def write(self, rewrite: Rewrite, dialect: Dialect) -> Written:
        parts = one_by_one(rewrite.parts, dialect)
        root = rewrite.migration.path.rpartition(f"{rewrite.migration.id}/")[0]
        slugs = [slug_of(part, index) for index, part in enumerate(parts[1:], 2)]
        names = [rewrite.migration.id, *folder_names(rewrite, slugs, tool="Prisma")]
        files = {
            f"{root}{name}/{SCRIPT}": f"{header(part)}{body(part.statements)}".encode()
            for name, part in zip(names, parts, strict=True)
        }
        together = dialect.name == "sqlite" and any(part.transaction and len(part.statements) > 1 for part in parts)
        return Written(files=files, lost=(*all_lost(parts), *((_ON_SQLITE,) if together else ())))


def folder_names(rewrite: Rewrite, slugs: list[str], *, tool: str) -> list[str]:
    """Names that sort as text behind the original's and before the next one's."""
    original = rewrite.migration.id
    after = following(rewrite)
    stamp, underscore, _ = original.partition("_")

    def fits(name: str) -> bool:
        return original < name and (after is None or name < after.id)

    if underscore and stamp.isdecimal():
        try:
            versions = between(stamp, len(slugs), fits=lambda one: fits(f"{one}_"), where=rewrite.migration.path, tool=tool)
            return [f"{version}_{slug}" for version, slug in zip(versions, slugs, strict=True)]
        except SourceError:
            if len(stamp) == 14:
                raise
    names = [f"{original}_{index:0{len(str(len(slugs) + 1))}d}_{slug}" for index, slug in enumerate(slugs, 2)]
    if not all(fits(name) for name in names):
        raise no_room(rewrite.migration.path, tool, len(slugs))
    return names
