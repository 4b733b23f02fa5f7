"""From a plan and its start to the proof: what `driftflow prove` asks for."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from datetime import UTC, datetime

from driftflow import __version__
from driftflow.lab.proof.asked_for import not_met, told
from driftflow.lab.proof.bench import Bench, Question, Tell, open_bench, schema_gaps
from driftflow.lab.proof.crashes import crashes
from driftflow.lab.proof.ends import ends
from driftflow.lab.proof.habits import values_said
from driftflow.lab.proof.locks import seeing, within_claims
from driftflow.lab.proof.queries import queries
from driftflow.lab.proof.running import named, unasked
from driftflow.lab.proof.watching import Observed
from driftflow.lab.proof.writers import writers
from driftflow.model.plan import Plan, QuerySource, Stage
from driftflow.model.proof import NEEDED, Claim, ClaimName, Proof
from driftflow.model.record import replace
from driftflow.reports.style import count

EVERY: tuple[ClaimName, ...] = (*NEEDED, "queries")


def prove(question: Question, *, tell: Tell = lambda text: None, only: Collection[ClaimName] = EVERY) -> Proof:
    """Everything that was shown, and what was not; with `only` some of the claims, after which no proof is green. Raises ConfigError where there is no server, DatabaseError where it is lost on the way."""
    with open_bench(question, tell=tell) as bench:
        with closing(bench.start.connector.connect("proof")) as connection:
            version = str(connection.version)
        claims = tuple(_claims(bench, only))
        impossible = _missing_rows(bench)
        return Proof(
            plan=question.plan.digest,
            dialect=question.dialect.name,
            server=bench.start.server,
            server_version=version,
            start=question.start.name,
            original=tuple(migration.path for migration in question.migrations),
            rows={name: count for name, count in bench.filled.rows.items() if count},
            seed=question.seed,
            claims=claims,
            not_proved=(
                *bench.start.gaps,
                *(f"not in the lab: {what}" for what in bench.not_built),
                *schema_gaps(bench),
                *impossible,
            ),
            notes=tuple(_notes(bench)),
            made_with=__version__,
            at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )


def _claims(bench: Bench, only: Collection[ClaimName]) -> Iterator[Claim]:
    reason = reads_elsewhere(bench.plan)
    if reason:
        yield from (Claim(name=name, state="not_proved", summary="", not_proved=(reason,)) for name in NEEDED)
        return
    bench.tell("carrying out the original migration")
    bench.look_ahead()
    bench.tell("carrying out the plan, and taking it back")
    observed = Observed()
    with seeing(bench) as eye:
        yield from _timed(lambda: ends(bench, eye, observed))
    if eye is None:
        yield Claim(name="locks", state="not_proved", summary="", not_proved=(UNSEEN,))
    else:
        yield within_claims(bench, observed)
    if "writers" in only:
        bench.tell("carrying out the plan while an application writes")
        yield from _timed(lambda: (writers(bench),))
    if "crashes" in only:
        yield from _timed(lambda: (crashes(bench, observed),))
    if "queries" in only:
        yield from _timed(lambda: (queries(bench),))


def _timed(shown: Callable[[], tuple[Claim, ...]]) -> Iterator[Claim]:
    begun = time.monotonic()
    for claim in shown():
        yield replace(claim, milliseconds=int((time.monotonic() - begun) * 1000))


UNSEEN = "locks cannot be seen on this database"


def reads_elsewhere(plan: Plan) -> str:
    """The step that needs another database than the one that is made here."""
    for number, step in enumerate(plan.steps, start=1):
        if isinstance(step, Stage) and isinstance(step.source, QuerySource):
            return f"step {number} reads from the database at {step.source.url_env}, which the lab does not ask"
    return ""


def _missing_rows(bench: Bench) -> tuple[str, ...]:
    """Of the tables that the plan is about: of others it does not matter."""
    about = {name.text for name in bench.plan.relations}
    return tuple(what for table, said in bench.filled.impossible.items() if table in about for what in said)


def _notes(bench: Bench) -> Iterator[str]:
    if bench.start.note:
        yield bench.start.note
    spread = sum(len(one.columns) for one in bench.question.statistics.values())
    if spread:
        yield f"NULLs, different values and the most common ones as the database's statistics have them in {count(spread, 'column')}"
    else:
        yield "how values are spread is assumed: the start schema comes without statistics of its columns (driftflow snapshot writes them)"
    yield from told(bench.asked)
    yield from not_met(bench.question.migrations)
    yield from bench.in_common
    for step in unasked(bench.plan):
        yield f"whether servers have recorded queries is not asked in the lab, where none has run any: {named(bench.plan, step)}"
    unwritten = [f"{table}.{column}" for table, column in sorted(bench.unwritten)]
    if unwritten:
        yield f"as was said, the application does not write {', '.join(unwritten)}"
    said = [f"{table}.{column}" for table, column in sorted(values_said(bench))]
    if said:
        yield f"every INSERT of the application gives {', '.join(said)} a value: through the view under the old name the server chooses no key, and no NULL in the place of a default"
