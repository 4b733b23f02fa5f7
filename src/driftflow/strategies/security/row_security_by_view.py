"""ENABLE ROW LEVEL SECURITY where the server has no policies: a view of the tenant's rows, and behind the gate no rights but on the view."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.errors import RefusedError
from driftflow.model.catalog import Table
from driftflow.model.operations import SetRowSecurity
from driftflow.model.plan import Expectation, Guard, Phase, Step, UndoNothing, UndoSteps, Verify
from driftflow.strategies import spoken
from driftflow.strategies.base import strategy
from driftflow.strategies.grants import Holder, given, holders
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.security.isolation import isolated
from driftflow.strategies.security.said_row_security import VERB, RowSecurityRequest, request_of
from driftflow.strategies.security.tenant_view import TenantView

NAME = "row_security_by_view"
ON_A_VIEW = ("SELECT", "INSERT", "UPDATE", "DELETE", "SHOW VIEW")
"""The rights that mean the same on a view. What else was held on the table (ALTER, INDEX, REFERENCES, TRIGGER, ...) is taken and not given."""
NEEDED = ("CREATE ROUTINE", "CREATE VIEW", "GRANT OPTION")


def _applies(operation: SetRowSecurity, at: Situation) -> bool:
    return not at.can(Capability.ROW_SECURITY) and operation.action == "enable" and request_of(at) is not None


@strategy(NAME, on=SetRowSecurity, applies=_applies, rank=60, page="row-security-by-view")
def row_security_by_view(operation: SetRowSecurity, at: Situation) -> Iterator[Step]:
    """Everything that the application will need is there and tested before the gate; behind it, the rights on the table go."""
    request, table = request_of(at), at.table(operation.table)
    assert request is not None and table is not None
    spoken.refuse_unknown(table, (request.column,), verb=VERB, span=request.span)
    recipe, view = Recipe(at, NAME), TenantView(at, table, request)
    confined = _confined(table, request)
    name, variable = table.name.name, f"@{request.variable}"
    yield recipe.alone(
        view.function(),
        purpose=f"Let a function say what {variable} holds, for a view cannot read it itself",
        guards=(*_rights(at, table), *_ways_around(at, table, confined)),
    )
    yield recipe.alone(
        view.view(),
        purpose=f"Make {request.view}, which shows of {name} the rows whose {request.column} is {variable}: whoever sets it chooses the tenant",
    )
    for trigger in view.triggers():
        event = trigger.trigger.events[0]
        yield recipe.alone(trigger, purpose=f"Refuse {event} of another tenant's row of {name} where {variable} is set")
    for holder in confined:
        kept = holder.only(ON_A_VIEW)
        if not kept.rights:
            continue
        grant, revoke = given(kept, view.name, at.dialect)
        less = [right for right in holder.rights if right not in kept.rights]
        without = f" (not {', '.join(less)})" if less else ""
        back = recipe.undo_step((revoke,), recipe.catalog, phase="expand")
        purpose = f"Give {holder.shown} the rights on {request.view} that it has on {name}{without}"
        yield recipe.alone(grant, purpose=purpose, undo=UndoSteps(steps=(back,)))
    tested = tuple(isolated(at, view))
    yield _verify(recipe, tested, purpose=f"Test the isolation of {name} through {request.view}", phase="migrate")
    for holder in confined:
        grant, revoke = given(holder, table.name, at.dialect)
        back = recipe.undo_step((grant,), recipe.catalog, phase="contract")
        purpose = f"Take from {holder.shown} the rights on {name}: {_who_is_left(table, confined)}"
        yield recipe.alone(revoke, purpose=purpose, phase="contract", undo=UndoSteps(steps=(back,)))
    left = tuple(_nothing_left(at, table, holder) for holder in confined)
    yield _verify(
        recipe,
        left,
        purpose=f"Verify that {', '.join(one.shown for one in confined)} cannot get around the view",
        phase="contract",
    )


def _confined(table: Table, request: RowSecurityRequest) -> tuple[Holder, ...]:
    """Raises RefusedError (DF-E785) for an account that has no rights on the table itself, or none that we see."""
    found: list[Holder] = []
    for role in request.roles:
        user, _, host = role.partition("@")
        mine = [one for one in holders(table) if one.user == user and host in ("", one.host)]
        if not mine:
            raise RefusedError(
                "DF-E785",
                f"{role} has no rights on {table.name.name} itself, or none that this account may see",
                where=str(request.span),
                why="rights on a whole database cannot be taken back from one of its tables, and whose they are stands in the tables of `mysql`",
                hint="give it rights on the tables one by one and take those on the database, in a release before; and let the plan's account read `mysql`",
            )
        found += [one for one in mine if one not in found]
    return tuple(found)


def _rights(at: Situation, table: Table) -> Iterator[Guard]:
    for query, summary in at.dialect.lacking_rights(table.name, NEEDED, at.version):
        yield Guard(query=query, summary=summary, hint="ask the database's administrators for it; nothing has been done")


def _ways_around(at: Situation, table: Table, confined: tuple[Holder, ...]) -> Iterator[Guard]:
    """Rights that no REVOKE on the table would take."""
    besides = [(one.user, one.host) for one in confined]
    for holder in confined:
        yield Guard(
            query=at.dialect.rights_left(table.name, holder.user, holder.host, at.version, besides=besides),
            summary=f"{holder.shown} has {{count}} rights that lead around the view: on the whole database, on all of them, or through a role",
            hint="SHOW GRANTS tells which; give it rights on the tables one by one instead",
        )


def _nothing_left(at: Situation, table: Table, holder: Holder) -> Expectation:
    return Expectation(
        summary=f"{holder.shown} has no right on {table.name.name}, by its name, on the database or through a role",
        query=at.dialect.rights_left(table.name, holder.user, holder.host, at.version),
        expect="0",
    )


def _who_is_left(table: Table, confined: tuple[Holder, ...]) -> str:
    others = [one.shown for one in holders(table) if one not in confined and (one.user, one.host) not in _names(confined)]
    return f"it goes on through the view; every row is seen by {', '.join(others) or 'whoever has rights on the database'}"


def _names(confined: tuple[Holder, ...]) -> set[tuple[str, str]]:
    return {(one.user, one.host) for one in confined}


def _verify(recipe: Recipe, expectations: tuple[Expectation, ...], *, purpose: str, phase: Phase) -> Verify:
    return Verify(
        **recipe.common(purpose, phase),
        statement_timeout_ms=0,
        expectations=expectations,
        undo=UndoNothing(reason="it changes nothing"),
    )
