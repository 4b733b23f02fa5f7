"""Views, triggers and routines of MySQL and MariaDB that are made again as they were: as the same account, to the letter.

A rollback that gave them to whoever runs it would change whose rights they act with, and lose what no catalog holds: a routine's arguments, the modes
under which a text means what it means.

Source: MySQL 8.4 manual, "Stored Object Access Control"; MariaDB documentation, "Stored Routine Privileges".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from driftflow.dialects.mysql.keywords import quote_always
from driftflow.dialects.mysql.rights import not_that_definer
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import KeptText, Routine, Trigger, View
from driftflow.model.operations import CreateFunction, CreateTrigger, CreateView, Operation
from driftflow.model.plan import Guard
from driftflow.model.record import replace

AS_THAT = "run it as that account, or as one that may name others as definers"


def trigger_again(trigger: Trigger, at: Situation) -> CreateTrigger:
    """Where another statement of the release has changed what its text names, the text as it is now, and the account and the modes of before."""
    if trigger.kept is not None:
        return CreateTrigger(trigger=trigger, kept=trigger.kept)
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


def routine_again(routine: Routine) -> CreateFunction:
    return CreateFunction(routine=routine, kept=routine.kept)


def view_again(view: View) -> CreateView:
    return CreateView(view=view, kept=view.kept)


@dataclass(frozen=True)
class MadeAgain:
    """What the operations of one step make again."""

    texts: tuple[tuple[str, KeptText], ...]
    """(what it is, its text)"""

    @classmethod
    def among(cls, operations: Iterable[Operation]) -> MadeAgain:
        found: list[tuple[str, KeptText]] = []
        for operation in operations:
            match operation:
                case CreateTrigger(kept=KeptText() as kept, trigger=trigger):
                    found.append((f"trigger {trigger.name}", kept))
                case CreateView(kept=KeptText() as kept, view=view):
                    found.append((f"view {view.name.name}", kept))
                case CreateFunction(kept=KeptText() as kept, routine=routine):
                    found.append((f"{routine.kind} {routine.name.name}", kept))
                case _:
                    pass
        return cls(texts=tuple(found))

    @property
    def settings(self) -> dict[str, str]:
        """Of the session that makes them. Letters that the client's character set of then cannot have are not sent under it."""
        found: dict[str, Any] = {}
        for _, kept in self.texts:
            found |= kept.settings
            if not kept.statement.isascii() and not kept.character_set.startswith("utf8"):
                del found["character_set_client"], found["collation_connection"]
        return found

    def guards(self, at: Situation) -> tuple[Guard, ...]:
        return tuple(may_name(what, kept, at) for what, kept in self.texts if all(kept.account))


def may_name(what: str, kept: KeptText, at: Situation) -> Guard:
    user, host = kept.account
    return Guard(
        query=not_that_definer(user, host, at.version, mariadb=at.dialect.name == "mariadb"),
        summary=f"the {what} runs as {kept.definer}, and the user may not make one that does",
        hint=AS_THAT,
    )
