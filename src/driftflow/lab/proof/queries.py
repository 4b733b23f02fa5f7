"""Claim six: the running application's queries work after every step until the gate."""

from __future__ import annotations

from driftflow.lab.n_minus_one import Question as Compatible
from driftflow.lab.n_minus_one import answer_on
from driftflow.lab.proof.bench import Bench
from driftflow.lab.proof.running import named
from driftflow.model.compatibility import Compatibility
from driftflow.model.proof import Claim, Difference
from driftflow.reports.style import count


def queries(bench: Bench) -> Claim:
    question = bench.question
    if not question.queries:
        return Claim(name="queries", state="not_asked", summary="no queries were given")
    bench.tell("preparing the application's queries after each step")
    found = answer_on(
        bench.empty(),
        Compatible(
            subject="the plan", change=bench.plan, dialect=question.dialect, start=question.start, queries=question.queries
        ),
    )
    broken = tuple(_broken(found, bench))
    missing = tuple(_not_judged(found))
    judged = count(len(found.queries), "query", "queries")
    return Claim(
        name="queries",
        state="differs" if broken else "not_proved" if missing else "proved",
        summary=f"{judged} prepared after each of {count(len(found.boundaries), 'step')}",
        differences=broken,
        not_proved=missing,
    )


def _broken(found: Compatibility, bench: Bench) -> list[Difference]:
    gate = found.first_gate
    until = gate.number if gate is not None else len(found.boundaries) + 1
    names = {query.id: query.name or query.id for query in found.queries}
    return [
        Difference(step=named(bench.plan, at.where), object=f"query {names[one.query]}", what=f"breaks: {one.code} {one.why}")
        for at in found.boundaries
        if at.number < until
        for one in at.broken
    ]


def _not_judged(found: Compatibility) -> list[str]:
    missing = [f"the plan stopped beside the queries: {found.stopped}"] if found.stopped else []
    if found.already_broken:
        missing.append(f"{count(len(found.already_broken), 'query', 'queries')} do not work on the start schema already")
    if not found.queries and not found.already_broken:
        missing.append("none of the queries could be prepared")
    return missing
