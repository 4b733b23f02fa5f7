"""What a writer is: it puts the safe form of a migration back into files of the team's own tool. Pure: names and bytes in, names and bytes out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from driftflow.dialects.base import Dialect
from driftflow.errors import SourceError
from driftflow.model.migration import Migration
from driftflow.model.plan import Phase
from driftflow.model.record import Record, replace
from driftflow.plugins import register

WIDTH = 100


class Part(Record, frozen=True, kw_only=True):
    """Statements that belong into one file: one transaction, or none at all."""

    statements: tuple[str, ...]
    """Without terminators, in order."""
    transaction: bool = True
    inside: tuple[str, ...] = ()
    """The same for a tool that always runs a transaction: a plain CREATE INDEX instead of a concurrent one. Empty: there is no such form."""
    phase: Phase = "expand"
    purpose: str = ""
    comments: tuple[str, ...] = ()
    """Sentences for whoever reads the file."""
    lost: tuple[str, ...] = ()
    """What driftflow would do here, and the tool does not."""
    down: tuple[str, ...] = ()
    down_transaction: bool = True
    down_inside: tuple[str, ...] = ()
    slug: str = ""
    """A few words for the file's name: `backfill_tenant_id`."""


class Rewrite(Record, frozen=True, kw_only=True):
    """One migration, taken apart into parts. The first part takes the place of the original; the others get versions right behind it."""

    migration: Migration
    parts: tuple[Part, ...]
    siblings: tuple[Migration, ...] = ()
    """All migrations of the source, in order, the original among them: new versions must sort before the next one."""
    files: Mapping[str, str] = {}
    """Text of the files that `Writer.needs` named."""


class Written(Record, frozen=True, kw_only=True):
    """What to write and what to remove, by path relative to the project."""

    files: Mapping[str, bytes]
    removed: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    """Everything that this tool cannot do, each once, for the person who chooses."""


class Writer(Protocol):
    """One format that `enhance` can write back."""

    name: str

    def needs(self, migration: Migration) -> tuple[str, ...]:
        """Paths of files that `write` must know the text of, where they exist (Drizzle's journal)."""

    def write(self, rewrite: Rewrite, dialect: Dialect) -> Written:
        """Raises SourceError: DF-E251 where no version is free, DF-E252 where the tool cannot run a part, DF-E253 where it would misread one."""


def writer(name: str) -> Any:
    """Class decorator: `@writer("dbmate")`."""
    return register("writer", name)


def following(rewrite: Rewrite) -> Migration | None:
    """The migration that comes after the original one, if any. Scripts that sort elsewhere (repeatable ones) do not count."""
    rest = [one for one in rewrite.siblings if not one.repeatable]
    positions = [index for index, one in enumerate(rest) if one.id == rewrite.migration.id]
    return rest[positions[0] + 1] if positions and positions[0] + 1 < len(rest) else None


def always_inside(parts: Sequence[Part], tool: str) -> tuple[Part, ...]:
    """The parts for a tool that runs everything in a transaction. Raises SourceError (DF-E252) for what cannot run in one."""
    return tuple(_inside(part, tool) for part in parts)


def one_by_one(parts: Sequence[Part], dialect: Dialect) -> tuple[Part, ...]:
    """The parts for a tool that sends a file as one string, which PostgreSQL runs as one transaction: outside of one, a statement stands alone."""
    if dialect.name != "postgresql":
        return tuple(parts)
    return tuple(piece for part in parts for piece in _alone(part))


def one_flag(parts: Sequence[Part]) -> tuple[Part, ...]:
    """The parts for a tool whose transaction flag speaks of both directions: the way up decides."""
    return tuple(
        replace(part, down=part.down_inside, down_transaction=True) if part.transaction and not part.down_transaction else part
        for part in parts
    )


def header(part: Part) -> str:
    """The comment above the statements. It never begins a line with `driftflow:`, which would be a directive."""
    lines = [part.purpose] if part.purpose else []
    lines += part.comments
    lines += [f"Not done by this file: {one}" for one in part.lost]
    return "".join(f"-- {line}\n" for text in lines for line in wrapped(text))


def body(statements: Iterable[str]) -> str:
    """The statements, each with its semicolon."""
    return "".join(f"{terminated(sql)}\n" for sql in statements)


def terminated(sql: str) -> str:
    """With a semicolon, on a line of its own behind a comment that would swallow it."""
    text = sql.rstrip()
    last = text.rpartition("\n")[2]
    return f"{text}\n;" if "--" in last else f"{text};"


def wrapped(text: str) -> list[str]:
    """Lines of at most WIDTH characters; line breaks in the text are kept."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split():
            if line and len(line) + 1 + len(word) > WIDTH:
                lines.append(line)
                line = ""
            line = f"{line} {word}".strip()
        lines.append(line)
    return lines


def slug_of(part: Part, position: int) -> str:
    """Words for a file name; never empty."""
    slug = re.sub(r"[^a-z0-9]+", "_", (part.slug or part.purpose or part.phase).lower()).strip("_")
    return slug[:48].rstrip("_") or f"part_{position}"


def all_lost(parts: Sequence[Part]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for part in parts for one in part.lost))


def refuse_text(parts: Sequence[Part], pattern: re.Pattern[str], *, tool: str, rewrite: Rewrite) -> None:
    """Raise SourceError (DF-E253) when a statement holds text that the tool would take for its own marks."""
    for part in parts:
        for sql in (*part.statements, *part.down):
            if match := pattern.search(sql):
                raise SourceError(
                    "DF-E253",
                    f"{tool} would misread a statement",
                    where=rewrite.migration.path,
                    why=f"it contains {match[0].strip()!r}, which is a mark of {tool}",
                    hint="run the plan with driftflow apply instead of writing it back",
                )


def _inside(part: Part, tool: str) -> Part:
    if part.transaction and part.down_transaction:
        return part
    if not part.transaction and not part.inside:
        raise SourceError(
            "DF-E252",
            f"{tool} cannot run a step of the safe form",
            where=part.purpose,
            why=f"{tool} runs every migration in a transaction, and this step must not be in one",
            hint="run the plan with driftflow apply instead of writing it back",
        )
    lost = () if part.transaction else (f"{tool} runs this in a transaction, so other sessions wait until it is done",)
    return replace(
        part,
        statements=part.statements if part.transaction else part.inside,
        transaction=True,
        down=part.down if part.down_transaction else part.down_inside or part.down,
        down_transaction=True,
        lost=(*part.lost, *lost),
    )


def _alone(part: Part) -> tuple[Part, ...]:
    if not part.down_transaction and len(part.down) > 1 and part.down_inside:
        part = replace(part, down=part.down_inside, down_transaction=True)
    if part.transaction or len(part.statements) == 1:
        return (part,)
    *before, last = part.statements
    bare = replace(part, down=(), down_inside=(), down_transaction=True, comments=(), lost=())
    pieces = [
        replace(bare, statements=(sql,), inside=(), slug=f"{part.slug}_{index}") for index, sql in enumerate(before, start=1)
    ]
    # Down parts run from the last file to the first: the last takes everything back.
    return (*pieces, replace(part, statements=(last,), inside=()))
