"""The question of N-1: which of the running application's queries break on which schema that a plan or a migration leaves behind.

The start schema is built in the lab, every query is prepared on it, then each step or statement is really run and every query prepared again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from driftflow.dialects.base import Dialect
from driftflow.dialects.mysql.digest import expanded
from driftflow.dialects.query_text import EVERYTHING, PREPARABLE, digest_of, first_word, forms, masked, without_constants
from driftflow.engine.ports import DatabaseFault
from driftflow.lab.inserting import Inserted, inserted, meaning
from driftflow.lab.prepare import Prober, Shape, differences, lost
from driftflow.model.compatibility import Boundary, Broken, Change, RunningQuery, Unusable
from driftflow.model.names import Name
from driftflow.model.record import replace
from driftflow.usage.recorded import Recorded

CUT = "the server kept only its beginning (performance_schema_max_digest_length)"


@dataclass
class _Watched:
    """One query under watch."""

    query: RunningQuery
    sql: str
    start: Shape
    now: Shape
    insert: Inserted | None = None
    broken: Broken | None = None


@dataclass
class Watch:
    """The queries, and what became of each so far."""

    prober: Prober
    dialect: Dialect
    watched: list[_Watched] = field(default_factory=list)
    already_broken: list[Unusable] = field(default_factory=list)
    skipped: list[Unusable] = field(default_factory=list)
    boundaries: list[Boundary] = field(default_factory=list)

    def begin(self, recorded: Iterable[Recorded], *, names: Collection[str] = ()) -> None:
        """Prepare every query on the start schema. What fails there is not the plan's doing."""
        seen: dict[str, Recorded] = {}
        shown: dict[str, RunningQuery] = {}
        for one in recorded:
            id = digest_of(masked(one.text, self.dialect.name, names=EVERYTHING))
            if id in seen:
                shown[id] = replace(shown[id], calls=shown[id].calls + one.calls)
                continue
            seen[id] = one
            text = masked(one.text, self.dialect.name, names=names)
            shown[id] = RunningQuery(id=id, text=text, name=one.name, calls=one.calls, origin=one.origin)
        with self.prober.looking():
            for id, one in seen.items():
                self._first(one, shown[id], names)

    def _first(self, one: Recorded, query: RunningQuery, names: Collection[str]) -> None:
        sql_forms = self._forms(one, names)
        word = first_word(sql_forms[0], self.dialect.name)
        if one.unusable:
            self.skipped.append(Unusable(query=query, why=one.unusable))
            return
        if word not in PREPARABLE:
            why = f"{word} is not prepared: it is no query" if word else "it cannot be cut into words"
            self.skipped.append(Unusable(query=query, why=why))
            return
        faults: list[DatabaseFault] = []
        for sql in sql_forms:
            try:
                shape = self.prober.shape(sql)
            except DatabaseFault as fault:
                if lost(fault):
                    raise
                faults.append(fault)
            else:
                self._begin(query, sql, shape)
                return
        why = self._said(faults[0], one.text)
        if one.cut:
            self.skipped.append(Unusable(query=query, code=faults[0].code, why=CUT))
        else:
            self.already_broken.append(Unusable(query=query, code=faults[0].code, why=why))

    def _begin(self, query: RunningQuery, sql: str, shape: Shape) -> None:
        insert = inserted(sql, self.dialect, self.prober)
        refused = meaning(query.id, insert, self.prober) if insert is not None else None
        if refused is not None:
            self.already_broken.append(Unusable(query=query, code=refused.code, why=refused.why))
        else:
            self.watched.append(_Watched(query, sql, shape, shape, insert))

    def _forms(self, one: Recorded, names: Collection[str]) -> tuple[str, ...]:
        if not one.digest:
            return forms(one.text, self.dialect.name, names=names)
        found = expanded(one.text, lambda table: len(self.prober.places(Name(name=table))))
        return (*found, one.sample) if one.sample else found

    def _said(self, fault: DatabaseFault, sql: str) -> str:
        return without_constants(fault.message, sql, self.dialect.name, code=fault.code)

    def look(self, boundary: Boundary, *, inside: bool = False) -> None:
        """Prepare every query again on the schema as it stands now. `inside` a transaction a query that breaks in another way breaks again, for
        only the last of it will be seen (`settle`)."""
        broken: list[Broken] = []
        again: list[str] = []
        changes: list[Change] = []
        with self.prober.looking():
            for one in self.watched:
                was, shape_before = one.broken, one.now
                one.broken = self._broken(one)
                if one.broken is not None and (was is None or (inside and was != one.broken)):
                    broken.append(one.broken)
                if one.broken is None and was is not None:
                    again.append(one.query.id)
                if one.broken is None and one.now != shape_before:
                    what = differences(shape_before, one.now) if one.now != one.start else ()
                    changes.append(Change(query=one.query.id, what=what))
        self.boundaries.append(
            replace(
                boundary,
                broken=tuple(broken),
                works_again=tuple(again),
                changes=tuple(changes),
                standing=sum(one.broken is not None for one in self.watched),
            )
        )

    def _broken(self, one: _Watched) -> Broken | None:
        try:
            one.now = self.prober.shape(one.sql)
        except DatabaseFault as fault:
            if lost(fault):
                raise
            return Broken(query=one.query.id, code=fault.code, why=self._said(fault, one.sql))
        return None if one.insert is None else meaning(one.query.id, one.insert, self.prober)

    def pass_by(self, boundary: Boundary) -> None:
        """A boundary at which the schema did not change."""
        standing = self.boundaries[-1].standing if self.boundaries else 0
        self.boundaries.append(replace(boundary, looked=False, standing=standing))

    # what a transaction hid

    def settle(self, since: int) -> None:
        """The transaction that began behind boundary number `since` committed: what broke and worked again inside it, nobody ever saw."""
        inside = self.boundaries[since:]
        if not inside:
            return
        standing = {one.query.id for one in self.watched if one.broken is not None}
        earlier = self._broken_by(since)
        count = len(earlier)
        last = {id: at for at, boundary in enumerate(inside) for id in (*_ids(boundary), *boundary.works_again)}
        for at, boundary in enumerate(inside):
            fresh = standing - earlier
            broken = tuple(one for one in boundary.broken if one.query in fresh and last[one.query] == at)
            again = tuple(id for id in boundary.works_again if id in earlier - standing and last[id] == at)
            count += len(broken) - len(again)
            together = at < len(inside) - 1
            self.boundaries[since + at] = replace(boundary, broken=broken, works_again=again, standing=count, together=together)

    def _broken_by(self, since: int) -> set[str]:
        """The queries that were broken before the boundary at that place."""
        broken: set[str] = set()
        for boundary in self.boundaries[:since]:
            broken = (broken | set(_ids(boundary))) - set(boundary.works_again)
        return broken


def _ids(boundary: Boundary) -> tuple[str, ...]:
    return tuple(one.query for one in boundary.broken)
