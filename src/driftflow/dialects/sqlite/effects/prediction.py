"""A prediction in the making. SQLite has one write lock per file, so most of a prediction is how long it is held and whether readers wait too."""

from __future__ import annotations

from dataclasses import dataclass, field

from driftflow.dialects.sqlite.capabilities import ALTER_CONSTRAINT
from driftflow.dialects.sqlite.keys import column_named
from driftflow.model.catalog import Catalog, Column, Table
from driftflow.model.effects import Break, Condition, Effects, Held, LockClaim, Loss, Work, WorkKind
from driftflow.model.names import Name, Version

_ORDER: tuple[Held, ...] = ("instant", "statement", "scan", "index_build", "copy", "rewrite")
_HELD_FOR: dict[WorkKind, Held] = {"scan": "scan", "rewrite": "rewrite", "index_build": "index_build", "rows": "statement"}
WHOLE_FILE = "SQLite has one write lock for the whole file: writers of every table wait"


@dataclass
class Prediction:
    """What one operation does on `catalog`. `version` is None when nobody knows it: then every supported one is meant."""

    catalog: Catalog
    version: Version | None
    written: dict[Name, str] = field(default_factory=dict)
    """Relations that are written, each with why."""
    work: list[Work] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    broken: list[Break] = field(default_factory=list)
    transactional: bool = True
    exclusive: bool = False
    """Readers are kept out even in WAL mode."""
    unknown: str = ""

    # saying

    def writes(self, relation: Name, why: str = WHOLE_FILE) -> None:
        self.written.setdefault(relation, why)

    def does(self, kind: WorkKind, relation: Name, why: str = "") -> None:
        self.work.append(Work(kind=kind, relation=relation, why=why))

    def fails(self, kind: str, summary: str, *, relation: Name | None = None, probe: str = "", certain: bool = False) -> None:
        self.conditions.append(Condition(kind=kind, summary=summary, relation=relation, probe=probe, certain=certain))

    def loses(self, what: str, relation: Name | None = None, *, reversible: bool = False) -> None:
        self.losses.append(Loss(what=what, relation=relation, reversible=reversible))

    def breaks(self, what: str, relation: Name | None = None, column: str = "") -> None:
        self.broken.append(Break(what=what, relation=relation, column=column))

    # asking

    @property
    def wal(self) -> bool:
        """Unknown counts as no: then readers wait as well."""
        return self.catalog.settings.get("journal_mode", "").lower() == "wal"

    @property
    def foreign_keys(self) -> bool | None:
        """Whether foreign keys are enforced on this connection; None when nobody said. It is a setting of each connection, off by default."""
        value = self.catalog.settings.get("foreign_keys")
        return None if value is None else value.lower() in {"1", "on", "true", "yes"}

    def since(self, version: Version, what: str) -> bool:
        """Whether the server has it. An older one fails for certain, an unknown one perhaps."""
        if self.version is not None and self.version >= version:
            return True
        if self.version is None:
            self.fails("unsupported", f"{what} needs SQLite {version}")
            return True
        self.fails("unsupported", f"{what} needs SQLite {version}; {self.version} says it is a syntax error", certain=True)
        return False

    def never(self, what: str) -> None:
        """No version of SQLite has it."""
        self.fails("unsupported", f"SQLite has no {what}: the table must be rebuilt", certain=True)

    def alters_constraints(self, what: str) -> bool:
        """The forms of 3.53. Older servers need a rebuild instead, and an unknown one is taken for older: the rebuild works on all."""
        if self.version is not None and self.version >= ALTER_CONSTRAINT:
            return True
        which = str(self.version) if self.version else f"before {ALTER_CONSTRAINT}"
        self.fails("unsupported", f"SQLite {which} has no {what}: the table must be rebuilt", certain=self.version is not None)
        return False

    def table(self, name: Name) -> Table | None:
        """The table; a missing one fails for certain, unless the catalog is known to be incomplete."""
        found = self.catalog.table(name)
        if found is None and self.catalog.complete and not name.name.lower().startswith("sqlite_"):  # its own are in no catalog
            what = "is a view" if name.text in self.catalog.views else "does not exist"
            self.fails("missing", f"table {name.name} {what}", relation=name, certain=True)
        return found

    def column(self, table: Table | None, name: str) -> Column | None:
        if table is None:
            return None
        found = column_named(table, name)
        if (
            found is None and table.kind == "table"
        ):  # a virtual one has more columns than the server tells, among them one of its own name
            self.fails("missing", f"{table.name.name} has no column {name}", relation=table.name, certain=True)
        return found

    def is_empty(self, table: Table | None) -> bool:
        """Known for certain: made by this release."""
        return table is not None and table.new

    def has_rows(self, table: Table | None) -> bool:
        """Known for certain, from an exact count or a span of rowids."""
        return table is not None and not table.new and bool(table.statistics.rows)

    def effects(self) -> Effects:
        held = self._held()
        blocked = self.exclusive or not self.wal
        return Effects(
            locks=tuple(
                LockClaim(
                    relation=relation,
                    mode="EXCLUSIVE" if blocked else "RESERVED",
                    blocks=("reads", "writes", "ddl") if blocked else ("writes", "ddl"),
                    held=held,
                    # Busy handlers poll: a waiting writer keeps nobody out but in the instant before it commits.
                    queues=False,
                    why=why,
                )
                for relation, why in self.written.items()
            ),
            work=tuple(self.work),
            transactional=self.transactional,
            fails_if=tuple(self.conditions),
            loses=tuple(self.losses),
            breaks=tuple(self.broken),
            unknown=self.unknown,
        )

    def _held(self) -> Held:
        """As long as the longest work. A table of this release is empty, so work on it takes no time."""
        kinds: list[Held] = ["instant"]
        for work in self.work:
            table = self.catalog.table(work.relation)
            if table is None or not table.new:
                kinds.append(_HELD_FOR[work.kind])
        return max(kinds, key=_ORDER.index)
