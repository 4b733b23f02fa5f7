"""goose files: `NO TRANSACTION` where there must be none, StatementBegin and StatementEnd where goose would cut a statement in two."""

from __future__ import annotations

import re

from driftflow.dialects.base import Dialect
from driftflow.model.migration import Migration
from driftflow.patterns import lazy_regex
from driftflow.readers.goose import NAME
from driftflow.readers.goose_splitter import ends_statement
from driftflow.writers.base import (
    Part,
    Rewrite,
    Written,
    all_lost,
    following,
    header,
    one_flag,
    refuse_text,
    slug_of,
    terminated,
    writer,
)
from driftflow.writers.versions import between

_MARK = lazy_regex(r"^--\s*\+goose\b", re.MULTILINE | re.IGNORECASE)


@writer("goose")
class GooseWriter:
    """`00002_name.sql`, `00003_build_index.sql`, ..."""

    name = "goose"

    def needs(self, migration: Migration) -> tuple[str, ...]:
        return ()

    def write(self, rewrite: Rewrite, dialect: Dialect) -> Written:
        parts = one_flag(rewrite.parts)
        refuse_text(parts, _MARK, tool=self.name, rewrite=rewrite)
        folder, slash, name = rewrite.migration.path.rpartition("/")
        match = NAME.fullmatch(name)
        assert match is not None
        after = following(rewrite)
        versions = between(
            match["version"],
            len(parts) - 1,
            fits=lambda version: after is None or int(version) < int(after.id),
            where=rewrite.migration.path,
            tool=self.name,
        )
        names = [name]
        names += [
            f"{version}_{slug_of(part, index)}.sql"
            for index, (version, part) in enumerate(zip(versions, parts[1:], strict=True), 2)
        ]
        files = {f"{folder}{slash}{one}": _file(part) for one, part in zip(names, parts, strict=True)}
        return Written(files=files, lost=all_lost(parts))


def _file(part: Part) -> bytes:
    flag = "" if part.transaction else "-- +goose NO TRANSACTION\n"
    up = "".join(_statement(sql) for sql in part.statements)
    down = "".join(_statement(sql) for sql in part.down)
    return f"{flag}-- +goose Up\n{header(part)}{up}\n-- +goose Down\n{down}".encode()


def _statement(sql: str) -> str:
    text = terminated(sql)
    *lines, last = text.split("\n")
    if any(ends_statement(line) for line in lines) or not ends_statement(last):
        return f"-- +goose StatementBegin\n{text}\n-- +goose StatementEnd\n"
    return f"{text}\n"
