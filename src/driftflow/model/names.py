"""Names as the server stores them, and places in source text."""

from __future__ import annotations

from driftflow.model.record import Record


class Name(Record, frozen=True, kw_only=True, order=True):
    """A relation, type or routine: the identifier as the server stores it (folded by the dialect), never quoted.

    `schema` is empty only before `dialect.resolve`; afterwards it is the PostgreSQL schema, or `main` on SQLite.
    """

    schema: str = ""
    name: str

    @property
    def text(self) -> str:
        """`schema.name` for people and for keys of `Catalog`; not SQL."""
        return f"{self.schema}.{self.name}" if self.schema else self.name

    def __str__(self) -> str:
        return self.text


class Span(Record, frozen=True, kw_only=True, order=True):
    """A stretch of a source file. Lines and columns count from 1, columns in characters; `start`/`end` are character offsets."""

    file: str = ""
    line: int = 1
    column: int = 1
    end_line: int = 1
    end_column: int = 1
    start: int = 0
    end: int = 0

    def __str__(self) -> str:
        return f"{self.file or '<sql>'}:{self.line}:{self.column}"


class Version(Record, frozen=True, kw_only=True, order=True):
    """A server version. PostgreSQL 16.4 is (16, 4, 0); SQLite 3.40.1 is (3, 40, 1)."""

    major: int
    minor: int = 0
    patch: int = 0

    def __str__(self) -> str:
        return ".".join(str(part) for part in ((self.major, self.minor, self.patch) if self.patch else (self.major, self.minor)))

    @classmethod
    def parse(cls, text: str) -> Version:
        """`"16"`, `"16.4"`, `"3.40.1"`; trailing text (`16.4 (Debian …)`) is ignored. Raises ValueError on anything else."""
        parts = [int(part) for part in text.split()[0].split(".")[:3]]
        return cls(major=parts[0], minor=parts[1] if len(parts) > 1 else 0, patch=parts[2] if len(parts) > 2 else 0)
