"""dbmate files: one for each part, `transaction:false` on the marker line where there must be none."""

from __future__ import annotations

import re

from driftflow.dialects.base import Dialect
from driftflow.model.migration import Migration
from driftflow.patterns import lazy_regex
from driftflow.readers.dbmate import NAME
from driftflow.writers.base import (
    Part,
    Rewrite,
    Written,
    all_lost,
    body,
    following,
    header,
    one_by_one,
    refuse_text,
    slug_of,
    writer,
)
from driftflow.writers.versions import between

_MARK = lazy_regex(r"^--\s*migrate:(?:up|down)\b", re.MULTILINE)


@writer("dbmate")
class DbmateWriter:
    """`20240101120000_name.sql`, `20240101120001_build_index.sql`, ..."""

    name = "dbmate"

    def needs(self, migration: Migration) -> tuple[str, ...]:
        return ()

    def write(self, rewrite: Rewrite, dialect: Dialect) -> Written:
        parts = one_by_one(rewrite.parts, dialect)
        refuse_text(parts, _MARK, tool=self.name, rewrite=rewrite)
        paths = _paths(rewrite, parts)
        return Written(files={path: _file(part) for path, part in zip(paths, parts, strict=True)}, lost=all_lost(parts))


def _paths(rewrite: Rewrite, parts: tuple[Part, ...]) -> list[str]:
    """dbmate sorts by file name as text, so the whole name must come before the next one's."""
    folder, slash, name = rewrite.migration.path.rpartition("/")
    match = NAME.fullmatch(name)
    assert match is not None
    after = following(rewrite)
    bound = after.path.rpartition("/")[2] if after else ""
    versions = between(
        match["version"],
        len(parts) - 1,
        fits=lambda version: name < f"{version}_" and (not bound or f"{version}_~" < bound),
        where=rewrite.migration.path,
        tool="dbmate",
    )
    rest = [
        f"{version}_{slug_of(part, index)}.sql" for index, (version, part) in enumerate(zip(versions, parts[1:], strict=True), 2)
    ]
    return [rewrite.migration.path, *(f"{folder}{slash}{one}" for one in rest)]


def _file(part: Part) -> bytes:
    up = f"-- migrate:up{'' if part.transaction else ' transaction:false'}\n{header(part)}{body(part.statements)}"
    down = f"-- migrate:down{'' if part.down_transaction else ' transaction:false'}\n{body(part.down)}"
    return f"{up}\n{down}".encode()
