"""A prediction in the making: predictors say what they know, and out comes one `Effects` for each operation of a statement."""

from __future__ import annotations

from dataclasses import dataclass, field

from driftflow.dialects.mysql.effects.grade import Grade
from driftflow.dialects.mysql.keywords import quote
from driftflow.dialects.mysql.strictness import is_strict
from driftflow.model.catalog import Catalog, Table
from driftflow.model.effects import AcceptedAlgorithm, Blocks, Break, Condition, Effects, Held, LockClaim, Loss, Work, WorkKind
from driftflow.model.names import Name, Version

EXCLUSIVE = "EXCLUSIVE"
SHARED_NO_WRITE = "SHARED_NO_WRITE"
SHARED_UPGRADABLE = "SHARED_UPGRADABLE"
SHARED_READ = "SHARED_READ"
SHARED_WRITE = "SHARED_WRITE"
SHARED_READ_ONLY = "SHARED_READ_ONLY"
SHARED_NO_READ_WRITE = "SHARED_NO_READ_WRITE"
"""Metadata locks by performance_schema's words (MySQL 8.4 manual, "The metadata_locks Table")."""

HELD: tuple[Held, ...] = ("instant", "scan", "statement", "index_build", "rewrite", "copy")

SYSTEM_SCHEMAS = frozenset({"mysql", "information_schema", "performance_schema", "sys"})
"""The server's own: the catalog leaves them out."""


@dataclass
class Prediction:
    """What one operation does on `catalog`, on one version of one of the two servers."""

    catalog: Catalog
    version: Version
    mariadb: bool
    start: Catalog | None = None
    """The catalog before the first clause of the statement, where this is not the first."""
    dropped: frozenset[str] = frozenset()
    """Indexes and constraints that a clause of the same statement drops, whatever the order of the clauses."""
    grade: Grade | None = None
    """Of a clause of ALTER TABLE."""
    claims: list[LockClaim] = field(default_factory=list)
    work: list[Work] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    broken: list[Break] = field(default_factory=list)
    transactional: bool = False
    unknown: str = ""

    @property
    def server(self) -> str:
        return "MariaDB" if self.mariadb else "MySQL"

    @property
    def strict(self) -> bool:
        """Whether a value that does not fit is an error; the servers' own default is that it is."""
        mode = self.catalog.settings.get("sql_mode")
        return mode is None or is_strict(mode)

    @property
    def checks_foreign_keys(self) -> bool:
        return self.catalog.settings.get("foreign_key_checks", "1").upper() not in {"0", "OFF", "FALSE"}

    def since(self, mysql: Version | None, mariadb: Version | None) -> bool:
        """Whether the server is at least this new; None where it never will be."""
        wanted = mariadb if self.mariadb else mysql
        return wanted is not None and self.version >= wanted

    def lock(self, relation: Name, mode: str, *, held: Held = "instant", why: str = "", blocks: tuple[Blocks, ...] = ()) -> None:
        """`blocks` where the mode does not say it all: the engine has a lock of its own beside the server's."""
        self.claims.append(
            LockClaim(
                relation=relation,
                mode=mode,
                blocks=blocks or _BLOCKS[mode],
                held=held,
                queues=mode in _QUEUES or "writes" in blocks,
                why=why,
            )
        )

    def does(self, kind: WorkKind, relation: Name, why: str = "") -> None:
        self.work.append(Work(kind=kind, relation=relation, why=why))

    def fails(self, kind: str, summary: str, *, relation: Name | None = None, probe: str = "", certain: bool = False) -> None:
        self.conditions.append(Condition(kind=kind, summary=summary, relation=relation, probe=probe, certain=certain))

    def needs(self, mysql: Version | None, mariadb: Version | None, what: str) -> bool:
        """False, with a certain failure, when the server is older than the syntax, or never knew it."""
        if self.since(mysql, mariadb):
            return True
        wanted = mariadb if self.mariadb else mysql
        when = f"needs {self.server} {wanted}; on {self.version} it is an error" if wanted else f"is unknown to {self.server}"
        self.fails("unsupported", f"{what} {when}", certain=True)
        return False

    def loses(self, what: str, relation: Name | None = None, *, reversible: bool = False) -> None:
        self.losses.append(Loss(what=what, relation=relation, reversible=reversible))

    def breaks(self, what: str, relation: Name | None = None, column: str = "", *, error: str = "") -> None:
        self.broken.append(Break(what=what, relation=relation, column=column, error=error))

    @property
    def fails_for_certain(self) -> bool:
        return any(condition.certain for condition in self.conditions)

    def is_new(self, table: Name, column: str) -> bool:
        """Whether the column comes with an earlier clause of the same statement: rows hold nothing there that could be asked about."""
        before = self.start.table(table) if self.start is not None else None
        return before is not None and before.column(column) is None

    def table(self, name: Name) -> Table | None:
        """The table; a missing one is a certain failure where the catalog is complete."""
        table = self.catalog.table(name)
        if table is None and self.catalog.complete and name.text not in self.catalog.views and name.schema not in SYSTEM_SCHEMAS:
            self.fails("missing", f"table {name} does not exist", relation=name, certain=True)
        return table

    def effects(self, algorithms: tuple[AcceptedAlgorithm, ...] = ()) -> Effects:
        return Effects(
            locks=_merged(self.claims),
            work=tuple(dict.fromkeys(self.work)),
            algorithms=() if self.fails_for_certain else algorithms,
            transactional=self.transactional,
            implicit_commit=not self.transactional,
            fails_if=tuple(dict.fromkeys(self.conditions)),
            loses=tuple(dict.fromkeys(self.losses)),
            breaks=tuple(dict.fromkeys(self.broken)),
            unknown=self.unknown,
        )


def quoted(name: Name) -> str:
    return f"{quote(name.schema)}.{quote(name.name)}" if name.schema else quote(name.name)


_BLOCKS: dict[str, tuple[Blocks, ...]] = {
    EXCLUSIVE: ("reads", "writes", "ddl"),
    SHARED_NO_READ_WRITE: ("reads", "writes", "ddl"),
    SHARED_NO_WRITE: ("writes", "ddl"),
    SHARED_READ_ONLY: ("writes", "ddl"),
    SHARED_UPGRADABLE: ("ddl",),
    SHARED_READ: ("ddl",),
    SHARED_WRITE: ("ddl",),
}
_QUEUES = frozenset({EXCLUSIVE, SHARED_NO_READ_WRITE, SHARED_NO_WRITE, SHARED_READ_ONLY})
"""Requests behind which later readers or writers wait while it waits itself."""


def _merged(claims: list[LockClaim]) -> tuple[LockClaim, ...]:
    """One claim per relation and mode, held as long as the longest of them."""
    found: dict[tuple[Name, str], LockClaim] = {}
    for claim in claims:
        known = found.get((claim.relation, claim.mode))
        if known is None or HELD.index(claim.held) > HELD.index(known.held):
            found[claim.relation, claim.mode] = claim
    order = list(dict.fromkeys(relation for relation, _ in found))
    return tuple(sorted(found.values(), key=lambda claim: (order.index(claim.relation), -len(claim.blocks))))
