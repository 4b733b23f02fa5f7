"""A journal in memory, for tests of the loop without a database. It forgets with the process, so it never carries a real run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from driftflow.engine.ports import (
    ENDED,
    ClaimConflict,
    Connection,
    Debris,
    Lease,
    Progress,
    Request,
    RunRow,
    RunStatus,
    ServerIdentity,
)
from driftflow.model.event import AnyEvent, Session
from driftflow.model.record import replace


class MemoryJournal:
    def __init__(self) -> None:
        self.there = False
        self.rows: dict[str, RunRow] = {}
        self.log: dict[str, list[AnyEvent]] = {}
        self.fences: dict[str, int] = {}
        self.leases: dict[str, Lease] = {}
        self.claims: dict[str, str] = {}
        self.progresses: dict[tuple[str, str], Progress] = {}
        self.asked: dict[str, list[Request]] = {}
        self.gates: dict[str, dict[str, str]] = {}
        self.objects: dict[tuple[str, str], Debris] = {}

    def installed(self, connection: Connection) -> bool:
        return self.there

    def install(self, connection: Connection) -> None:
        self.there = True

    def transaction(self, connection: Connection) -> AbstractContextManager[None]:
        return _nothing()

    def create_run(self, connection: Connection, row: RunRow, claims: Sequence[str]) -> None:
        self.claim(connection, row.id, claims)
        self.rows[row.id] = row
        self.log[row.id] = []
        self.fences[row.id] = 0

    def claim(self, connection: Connection, run: str, claims: Sequence[str]) -> None:
        for relation in claims:
            owner = self.claims.get(relation, run)
            if owner != run:
                raise ClaimConflict(owner, relation)
        self.claims.update(dict.fromkeys(claims, run))

    def release_claims(self, connection: Connection, run: str) -> None:
        self.claims = {relation: owner for relation, owner in self.claims.items() if owner != run}

    def run(self, connection: Connection, run: str) -> RunRow | None:
        return self.rows.get(run)

    def find(self, connection: Connection, plan_digest: str, *, done: bool = False) -> RunRow | None:
        fits = [row for row in self.rows.values() if row.plan_digest == plan_digest]
        return next((row for row in fits if (row.status == "done" if done else row.status not in ENDED)), None)

    def set_status(self, connection: Connection, run: str, status: RunStatus, message: str = "") -> None:
        self.rows[run] = replace(self.rows[run], status=status, message=message)

    def set_identity(self, connection: Connection, run: str, identity: ServerIdentity) -> None:
        self.rows[run] = replace(self.rows[run], identity=identity)

    def events(self, connection: Connection, run: str) -> list[AnyEvent]:
        return list(self.log[run])

    def append(self, connection: Connection, event: AnyEvent) -> None:
        self.log[event.run].append(event)

    def fence(self, connection: Connection, run: str) -> int:
        return self.fences[run]

    def raise_fence(self, connection: Connection, run: str) -> int:
        self.fences[run] += 1
        return self.fences[run]

    def lease(self, connection: Connection, run: str) -> Lease | None:
        return self.leases.get(run)

    def take_lease(
        self, connection: Connection, run: str, executor: str, *, session: Session, seconds: int, force: bool
    ) -> Lease | None:
        holder = self.leases.get(run)
        if holder is not None and holder.executor != executor and not force:
            return holder
        self.leases[run] = Lease(executor=executor, session=session)
        return None

    def renew_lease(self, connection: Connection, run: str, executor: str, *, seconds: int) -> bool:
        holder = self.leases.get(run)
        return holder is not None and holder.executor == executor

    def release_lease(self, connection: Connection, run: str, executor: str) -> None:
        if self.renew_lease(connection, run, executor, seconds=0):
            del self.leases[run]

    def progress(self, connection: Connection, run: str, step: str) -> Progress | None:
        return self.progresses.get((run, step))

    def save_progress(self, connection: Connection, run: str, progress: Progress) -> None:
        self.progresses[run, progress.step] = progress

    def requests(self, connection: Connection, run: str) -> list[Request]:
        return list(self.asked.get(run, []))

    def mark_taken(self, connection: Connection, run: str, ids: Sequence[int]) -> None:
        self.asked[run] = [request for request in self.asked.get(run, []) if request.id not in ids]

    def open_gate(self, connection: Connection, run: str, gate: str, by: str) -> None:
        self.gates.setdefault(run, {}).setdefault(gate, by)

    def opened_gates(self, connection: Connection, run: str) -> dict[str, str]:
        return dict(self.gates.get(run, {}))

    def register(self, connection: Connection, debris: Debris) -> None:
        self.objects[debris.run, debris.name] = debris

    def unregister(self, connection: Connection, run: str, name: str) -> None:
        self.objects.pop((run, name), None)

    def debris(self, connection: Connection, run: str = "") -> tuple[Debris, ...]:
        return tuple(debris for debris in self.objects.values() if run in {"", debris.run})


@contextmanager
def _nothing() -> Iterator[None]:
    yield
