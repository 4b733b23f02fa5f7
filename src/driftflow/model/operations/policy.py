"""Row-level security."""

from __future__ import annotations

from typing import Literal

from driftflow.model.catalog import Policy
from driftflow.model.names import Name
from driftflow.model.operations.base import BaseOperation


class CreatePolicy(BaseOperation, frozen=True, kw_only=True, tag="create_policy"):
    policy: Policy


class AlterPolicy(BaseOperation, frozen=True, kw_only=True, tag="alter_policy"):
    """Empty fields leave as is; `to` renames."""

    name: str
    table: Name
    roles: tuple[str, ...] = ()
    using: str = ""
    check: str = ""
    to: str = ""


class DropPolicy(BaseOperation, frozen=True, kw_only=True, tag="drop_policy"):
    name: str
    table: Name
    if_exists: bool = False
    cascade: bool = False


class SetRowSecurity(BaseOperation, frozen=True, kw_only=True, tag="set_row_security"):
    table: Name
    action: Literal["enable", "disable", "force", "no_force"]
    only: bool = False
