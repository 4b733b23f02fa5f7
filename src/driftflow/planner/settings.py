"""SET statements of a migration, carried as settings of the steps that follow them instead of leaking out of the session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from driftflow.dialects.situation import Situation
from driftflow.model.operations import SetSetting

OURS = {
    "lock_timeout": "the plan limits every lock by itself",
    "statement_timeout": "the plan limits every statement by itself",
    "idle_in_transaction_session_timeout": "the plan leaves no transaction idle",
    "client_min_messages": "messages are read by driftflow",
    "on_error_stop": "driftflow always stops at an error",
    "client_encoding": "driftflow speaks UTF-8",
    "transaction_timeout": "the plan limits every statement by itself",
    "lock_wait_timeout": "the plan limits every lock by itself",
    "innodb_lock_wait_timeout": "the plan limits every lock by itself",
    "max_statement_time": "the plan limits every statement by itself",
    "max_execution_time": "the plan limits every statement by itself",
    "autocommit": "the plan says which statements share a transaction",
    "transaction": "the plan's transactions are READ COMMITTED",
    "names": "driftflow speaks UTF-8",
}
"""Settings that give way to the plan's own."""


@dataclass(frozen=True)
class Carried:
    """What holds at one place of one migration. `local` ends with its transaction, the rest with the migration."""

    migration: str = ""
    transaction: int = 0
    session: Mapping[str, str] = field(default_factory=dict)
    local: Mapping[str, str] = field(default_factory=dict)

    def at(self, situation: Situation) -> Carried:
        """What is left of it where this statement stands."""
        name = f"{situation.migration.source}:{situation.migration.id}"
        if name != self.migration:
            return Carried(migration=name, transaction=situation.transaction)
        if situation.transaction != self.transaction:
            return replace(self, transaction=situation.transaction, local={})
        return self

    def after(self, operation: SetSetting, situation: Situation) -> tuple[Carried, str]:
        """With one SET more, and what there is to say about it."""
        name = operation.name.lower()
        if name.startswith("@"):
            return self, ""  # A variable of the client's own, where a dump keeps what it will set back.
        if name in OURS:
            return self, f"SET {operation.name} gives way: {OURS[name]}"
        if operation.local and not situation.in_transaction:
            return self, f"SET LOCAL {operation.name} outside a transaction does nothing, as on the server"
        if name in ("all", "session authorization"):
            return replace(self, session={}, local={}), ""
        if operation.value is not None and operation.value.startswith("@"):
            return replace(self, session=_with(self.session, name, None)), ""
        if operation.local:
            return replace(self, local=_with(self.local, name, operation.value)), ""
        return replace(self, session=_with(self.session, name, operation.value), local=_with(self.local, name, None)), ""

    @property
    def settings(self) -> Mapping[str, str]:
        return {name: value for name, value in {**self.session, **self.local}.items() if name != "role"}

    @property
    def role(self) -> str:
        role = {**self.session, **self.local}.get("role", "")
        return "" if role.lower() == "none" else role


def _with(settings: Mapping[str, str], name: str, value: str | None) -> dict[str, str]:
    changed = {key: kept for key, kept in settings.items() if key != name}
    if value is not None:
        changed[name] = value
    return changed
