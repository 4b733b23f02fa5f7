"""Flyway scripts: versions with one more number (`V2` is followed by `V2.1`), a .conf beside a script that must not have a transaction."""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.dialects.base import Dialect
from driftflow.model.migration import Migration
from driftflow.model.record import replace
from driftflow.readers.flyway_names import Naming, Script, version_key
from driftflow.writers.base import Part, Rewrite, Written, all_lost, body, following, header, slug_of, writer
from driftflow.writers.versions import no_room

_ZEROS_MAX = 3
# Measured with Flyway 11.8: its lock is held in a transaction of its own, for whose end a concurrent build waits, while Flyway waits for it.
_LOCK = "Set flyway.postgresql.transactional.lock=false: otherwise this waits forever for the transaction that holds Flyway's own lock"


@writer("flyway")
class FlywayWriter:
    """`V2__name.sql`, `V2.1__build_index.sql`, ...; undo scripts where the original has one."""

    name = "flyway"

    def needs(self, migration: Migration) -> tuple[str, ...]:
        return (f"{migration.path}.conf",)

    def write(self, rewrite: Rewrite, dialect: Dialect) -> Written:
        folder, slash, name = rewrite.migration.path.rpartition("/")
        script = Naming().parse(name)
        if not isinstance(script, Script) or script.kind == "callback":
            script = Script(kind="versioned", version=rewrite.migration.id, description=rewrite.migration.name)
        names = [name, *_names(script, rewrite, count=len(rewrite.parts) - 1)]
        files: dict[str, bytes] = {}
        parts = tuple(_warned(part, dialect) for part in rewrite.parts)
        for one, part in zip(names, parts, strict=True):
            files[f"{folder}{slash}{one}"] = f"{header(part)}{body(part.statements)}".encode()
            if settings := _settings(part):
                files[f"{folder}{slash}{one}.conf"] = settings.encode()
            if rewrite.migration.down:
                files[f"{folder}{slash}U{one[1:]}"] = body(part.down).encode()
        settings_before = f"{rewrite.migration.path}.conf"
        removed = (settings_before,) if settings_before in rewrite.files and settings_before not in files else ()
        lost = (*all_lost(parts), *dict.fromkeys(one for part in parts for one in part.comments if one == _LOCK))
        return Written(
            files=files, removed=removed, lost=lost if rewrite.migration.down else (*lost, *_without_undo(rewrite.parts))
        )


def sub_versions(version: str, count: int, *, before: str) -> list[str]:
    """`2` → 2.1, 2.2, ...; when the next migration is 2.1: 2.0.1, 2.0.2, ... Empty when there is no room."""
    for zeros in range(_ZEROS_MAX + 1):
        found = [f"{version}{'.0' * zeros}.{number}" for number in range(1, count + 1)]
        if all(
            version_key(version) < version_key(one) and (not before or version_key(one) < version_key(before)) for one in found
        ):
            return found
    return []


def _names(script: Script, rewrite: Rewrite, *, count: int) -> list[str]:
    after = following(rewrite)
    versions = sub_versions(script.version, count, before=after.id if after else "")
    if len(versions) < count:
        raise no_room(rewrite.migration.path, "Flyway", count)
    return [
        f"V{version}__{slug_of(part, index)}.sql"
        for index, (version, part) in enumerate(zip(versions, rewrite.parts[1:], strict=True), 2)
    ]


def _warned(part: Part, dialect: Dialect) -> Part:
    waits = dialect.name == "postgresql" and any("CONCURRENTLY" in sql.upper() for sql in (*part.statements, *part.down))
    return replace(part, comments=(*part.comments, _LOCK)) if waits else part


def _settings(part: Part) -> str:
    """Values were put in before the safe form was made: what looks like a placeholder now is text."""
    lines = [] if part.transaction else ["executeInTransaction=false"]
    if any("${" in sql for sql in (*part.statements, *part.down)):
        lines.append("placeholderReplacement=false")
    return "".join(f"{line}\n" for line in lines)


def _without_undo(parts: Sequence[Part]) -> tuple[str, ...]:
    return ("no undo scripts were written, since the migration has none",) if any(part.down for part in parts) else ()
