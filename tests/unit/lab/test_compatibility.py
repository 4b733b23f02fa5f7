"""What becomes of queries over a row of schemas, with a server that says what the test wants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from driftflow.dialects.base import ErrorKind
from driftflow.dialects.registry import dialect_named
from driftflow.engine.ports import DatabaseFault
from driftflow.lab.compatibility import Watch
from driftflow.lab.prepare import Place, Shape, differences
from driftflow.model.compatibility import Boundary, Compatibility
from driftflow.model.names import Name
from driftflow.usage.recorded import Recorded


class Server:
    """`broken` maps the text of a query to why it is refused now."""

    def __init__(self) -> None:
        self.broken: dict[str, str] = {}
        self.shapes: dict[str, Shape] = {}

    @contextmanager
    def looking(self) -> Iterator[None]:
        yield

    def shape(self, sql: str) -> Shape:
        if sql in self.broken:
            raise DatabaseFault(ErrorKind.OTHER, self.broken[sql], code="42703")
        return self.shapes.get(sql, Shape())

    def places(self, table: Name) -> tuple[Place, ...]:
        return ()

    def refuses_row(self, table: Name, columns: Sequence[str], missing: Sequence[str]) -> DatabaseFault | None:
        return None


A, B = "SELECT a FROM t", "SELECT b FROM t"


def watch() -> tuple[Watch, Server]:
    server = Server()
    found = Watch(server, dialect_named("postgresql"))
    found.begin([Recorded(text=A, calls=2), Recorded(text=B), Recorded(text=A, calls=3)])
    return found, server


def look(found: Watch, server: Server, *, inside: bool = False, **broken: str) -> None:
    server.broken = {{"a": A, "b": B}[name]: why for name, why in broken.items()}
    found.look(Boundary(number=len(found.boundaries) + 1, title="t"), inside=inside)


def told(found: Watch) -> list[tuple[list[str], int, int]]:
    return [([one.why for one in at.broken], len(at.works_again), at.standing) for at in found.boundaries]


def test_equal_queries_are_one_with_their_calls() -> None:
    found, _ = watch()
    assert [(one.query.text, one.query.calls) for one in found.watched] == [(A, 5), (B, 0)]


def test_each_break_is_told_once_and_its_end_too() -> None:
    found, server = watch()
    for broken in ({}, {"a": "gone"}, {"a": "gone", "b": "gone too"}, {"b": "gone too"}):
        look(found, server, **broken)
    assert told(found) == [([], 0, 0), (["gone"], 0, 1), (["gone too"], 0, 2), ([], 1, 1)]


def test_a_transaction_tells_what_it_leaves() -> None:
    """`a` breaks and heals inside, `b` breaks in one way and then in another: the last one is seen."""
    found, server = watch()
    look(found, server, inside=True, a="gone", b="table is gone")
    look(found, server, inside=True, b="column is gone")
    look(found, server, inside=True, b="column is gone")
    found.settle(0)
    assert told(found) == [([], 0, 0), (["column is gone"], 0, 1), ([], 0, 1)]
    assert [at.together for at in found.boundaries] == [True, True, False]


def test_what_was_broken_before_a_transaction_is_not_broken_by_it() -> None:
    found, server = watch()
    look(found, server, a="gone", b="gone")
    since = len(found.boundaries)
    look(found, server, inside=True, a="gone otherwise", b="gone")
    look(found, server, inside=True, b="gone")
    look(found, server, inside=True, b="gone")
    found.settle(since)
    assert told(found)[since:] == [([], 0, 2), ([], 1, 1), ([], 0, 1)]


def test_a_change_is_told_against_the_schema_before() -> None:
    found, server = watch()
    server.shapes = {A: Shape(columns=(("a", "integer"), ("b", "text")))}
    look(found, server)
    server.shapes = {A: Shape(columns=(("a", "bigint"), ("b", "text")))}
    look(found, server)
    server.shapes = {}
    look(found, server)
    assert [[change.what for change in at.changes] for at in found.boundaries] == [
        [("column a is new", "column b is new")],
        [("column a is bigint (was integer)",)],
        [()],
    ]


def test_differences_in_words() -> None:
    before = Shape(columns=(("a", "integer"), ("b", "text")), parameters=("integer",))
    assert differences(before, before) == ()
    assert differences(before, Shape(columns=(("b", "text"), ("a", "integer")), parameters=("uuid",))) == (
        "the columns stand in another order",
        "parameter 1 is uuid (was integer)",
    )


def test_the_verdict_knows_gates() -> None:
    def at(number: int, kind: str, *broken: str) -> Boundary:
        from driftflow.model.compatibility import Broken

        return Boundary(
            number=number, title=f"{kind} {number}", kind=kind, broken=tuple(Broken(query=id, why="x") for id in broken)
        )  # type: ignore[arg-type]

    found = Compatibility(
        subject="p",
        planned=True,
        dialect="postgresql",
        server="s",
        start="s",
        boundaries=(at(1, "step"), at(2, "gate"), at(3, "step", "q")),
    )
    assert found.first_break is found.boundaries[2] and found.gate_before(found.boundaries[2]) is found.boundaries[1]
    assert found.fails("break") and not found.fails("before-gate") and not found.fails("never") and found.fails("change")
