"""Views, triggers and routines that are made again as they were: to the letter and as the same account on MySQL and MariaDB, with owner and rights on
PostgreSQL.

A rollback that gave them to whoever runs it would change whose rights they act with, and lose what no catalog holds: on MySQL a routine's arguments, the
modes under which a text means what it means.

Source: MySQL 8.4 manual, "Stored Object Access Control"; MariaDB documentation, "Stored Routine Privileges"; PostgreSQL documentation, "Privileges".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from driftflow.dialects.base import Dialect
from driftflow.dialects.mysql.keywords import quote, quote_always
from driftflow.dialects.mysql.rights import not_that_definer
from driftflow.dialects.mysql.tokens import Token, TokenFault, next_token
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Catalog, KeptText, Routine, Schema, Trigger, TriggerText, TypeDefinition, View
from driftflow.model.names import Name
from driftflow.model.operations import (
    AlterObject,
    Comment,
    CreateFunction,
    CreateSchema,
    CreateTrigger,
    CreateType,
    CreateView,
    EnableTrigger,
    Grant,
    Operation,
)
from driftflow.model.operations.function import all_arguments
from driftflow.model.plan import Guard
from driftflow.model.record import replace
from driftflow.strategies.grants import grants_again, roles_of

AS_THAT = "run it as that account, or as one that may name others as definers"


def trigger_again(trigger: Trigger, before: Catalog, at: Situation) -> Iterator[Operation]:
    """With what DROP TRIGGER takes along."""
    yield _trigger_alone(trigger, before, at)
    if at.dialect.name != "postgresql":
        return
    if trigger.enabled in ("D", "R", "A") and trigger.table.text in before.tables:
        # One of those four letters as the server says it; the catalog holds any text.
        yield EnableTrigger(table=trigger.table, name=trigger.name, state=trigger.enabled)  # type: ignore[arg-type]
    if trigger.comment:
        target = f"{at.dialect.quote(trigger.name)} ON {at.dialect.quote_name(trigger.table)}"
        yield Comment(kind="TRIGGER", target=target, text=trigger.comment)


def _trigger_alone(trigger: Trigger, before: Catalog, at: Situation) -> CreateTrigger:
    """Where another statement of the release has changed what its text names, the text as it is now, and the account and the modes of before."""
    if isinstance(trigger.kept, TriggerText):
        return CreateTrigger(trigger=trigger, kept=_in_its_place(trigger, trigger.kept, before))
    start = at.start.tables.values() if at.start is not None else ()
    known = next(
        (one for table in start for one in table.triggers if (one.name, one.events) == (trigger.name, trigger.events)), None
    )
    if known is None or known.kept is None:
        return CreateTrigger(trigger=trigger)
    user, host = known.kept.account
    definer = f"{quote_always(user)}@{quote_always(host)}" if user and host else ""
    text = at.dialect.render(CreateTrigger(trigger=trigger, definer=definer))
    return CreateTrigger(trigger=trigger, kept=replace(known.kept, statement=text))


def _in_its_place(trigger: Trigger, kept: TriggerText, before: Catalog) -> TriggerText:
    """Among those of the same event and time, which the server keeps beside the text."""
    table = before.table(trigger.table)
    same = (
        [one for one in table.triggers if (one.timing, one.events) == (trigger.timing, trigger.events)]
        if table is not None
        else []
    )
    later = [(one.kept.order, one.name) for one in same if one.kept is not None and one.kept.order > kept.order]
    body = body_of(kept)
    if not later or not body:
        return kept
    return replace(kept, statement=f"{kept.statement.removesuffix(body)} PRECEDES {quote(min(later)[1])}{body}")


def body_of(kept: TriggerText) -> str:
    """What stands behind FOR EACH ROW, to the letter; empty where the statement is not read."""
    last = ("", "", "")
    for token in tokens_of(kept.statement):
        last = (*last[1:], token.key)
        if last == ("FOR", "EACH", "ROW"):
            return kept.statement[token.end :]
    return ""


def tokens_of(text: str) -> Iterator[Token]:
    """As far as the text is read: what is looked for stands at its beginning, and a mode of the trigger's own may change what a string is."""
    at = 0
    while at < len(text):
        try:
            token, _, at = next_token(text, at)
        except TokenFault:
            return
        if token is not None:
            yield token


def routine_again(routine: Routine, dialect: Dialect) -> Iterator[Operation]:
    yield CreateFunction(routine=routine, kept=routine.kept)
    yield from hung_on(routine, dialect)
    yield from given_away(routine, dialect)


def type_again(made: TypeDefinition, dialect: Dialect) -> Iterator[Operation]:
    yield CreateType(type=made)
    yield from hung_on(made, dialect)
    yield from given_away(made, dialect)


def schema_again(name: str, said: Schema | None, dialect: Dialect) -> Iterator[Operation]:
    """Empty, with what is said of it (PostgreSQL)."""
    yield CreateSchema(name=name)
    if said is None:
        return
    target = dialect.quote(name)
    if said.comment:
        yield Comment(kind="schema", target=target, text=said.comment, name=Name(name=name))
    yield from grants_again(Name(name=name), said.grants or (), owner=said.owner, dialect=dialect, kind="SCHEMA", target=target)
    if said.owner:
        sql = f"ALTER SCHEMA {target} OWNER TO {dialect.quote(said.owner)}"
        yield AlterObject(kind="schema", action="owner", name=Name(name=name), sql=sql)


def called(made: Routine | TypeDefinition, dialect: Dialect) -> tuple[str, str]:
    """As ALTER and COMMENT name it: the words of its kind, and what stands behind them."""
    name = dialect.quote_name(made.name)
    if isinstance(made, TypeDefinition):
        return "DOMAIN" if made.kind == "domain" else "TYPE", name
    if made.kind == "aggregate":
        return "AGGREGATE", f"{name}({made.arguments or '*'})"
    return "PROCEDURE" if made.kind == "procedure" else "FUNCTION", f"{name}({made.arguments})"


def called_by_rights(routine: Routine, dialect: Dialect) -> tuple[str, str]:
    """As GRANT and REVOKE name it: an aggregate is a function to them."""
    kind = "PROCEDURE" if routine.kind == "procedure" else "FUNCTION"
    return kind, f"{dialect.quote_name(routine.name)}({all_arguments(routine.arguments)})"


def hung_on(made: Routine | TypeDefinition, dialect: Dialect) -> Iterator[Operation]:
    """PostgreSQL: the comment and the rights, which DROP takes along. Anybody may call a function that is made, until somebody says otherwise."""
    if dialect.name != "postgresql":
        return
    kind, target = called(made, dialect)
    if made.comment:
        yield Comment(kind=kind, target=target, text=made.comment)
    if made.grants is not None:
        if isinstance(made, Routine):
            kind, target = called_by_rights(made, dialect)
        if "" not in roles_of(made.grants):
            yield Grant(sql=f"REVOKE ALL ON {kind} {target} FROM PUBLIC", revoke=True, roles=("public",))
        yield from grants_again(made.name, made.grants, owner=made.owner, dialect=dialect, kind=kind, target=target)


def given_away(made: Routine | TypeDefinition, dialect: Dialect) -> Iterator[Operation]:
    """After all else: who has given it away may no longer grant rights on it."""
    if dialect.name == "postgresql" and made.owner:
        kind, target = called(made, dialect)
        sql = f"ALTER {kind} {target} OWNER TO {dialect.quote(made.owner)}"
        yield AlterObject(kind=kind.lower(), action="owner", name=made.name, sql=sql)


def view_again(view: View) -> CreateView:
    return CreateView(view=view, kept=view.kept, with_data=view.populated)


def as_they_were(operations: Iterable[Operation], at: Situation) -> tuple[tuple[Guard, ...], dict[str, str]]:
    """What holds before the texts among the operations are sent, and the settings of the session that sends them."""
    texts = list(_texts(operations))
    guards = tuple(may_name(what, kept, at) for what, kept in texts if all(kept.account))
    return guards, {name: value for _, kept in texts for name, value in _settings(kept).items()}


def _texts(operations: Iterable[Operation]) -> Iterator[tuple[str, KeptText]]:
    for operation in operations:
        match operation:
            case CreateTrigger(kept=KeptText() as kept, trigger=trigger):
                yield f"trigger {trigger.name}", kept
            case CreateView(kept=KeptText() as kept, view=view):
                yield f"view {view.name.name}", kept
            case CreateFunction(kept=KeptText() as kept, routine=routine):
                yield f"{routine.kind} {routine.name.name}", kept
            case _:
                pass


def _settings(kept: KeptText) -> dict[str, str]:
    """Letters that the character set of the client of then cannot have are not sent under it."""
    sent = kept.statement.isascii() or kept.character_set.startswith("utf8")
    return {name: value for name, value in kept.settings.items() if sent or name == "sql_mode"}


def may_name(what: str, kept: KeptText, at: Situation) -> Guard:
    user, host = kept.account
    return Guard(
        query=not_that_definer(user, host, at.version, mariadb=at.dialect.name == "mariadb"),
        summary=f"the {what} runs as {kept.definer}, and the user may not make one that does",
        hint=AS_THAT,
    )
