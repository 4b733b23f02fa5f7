"""Operations on views and materialized views."""

from __future__ import annotations

from driftflow.model.catalog import View
from driftflow.model.names import Name
from driftflow.model.operations.base import BaseOperation


class CreateView(BaseOperation, frozen=True, kw_only=True, tag="create_view"):
    view: View
    or_replace: bool = False
    if_not_exists: bool = False
    temporary: bool = False
    recursive: bool = False
    check_option: str = ""
    with_data: bool = True


class DropView(BaseOperation, frozen=True, kw_only=True, tag="drop_view"):
    name: Name
    materialized: bool = False
    if_exists: bool = False
    cascade: bool = False


class AlterView(BaseOperation, frozen=True, kw_only=True, tag="alter_view"):
    """SET (...), RESET (...), OWNER TO, ALTER COLUMN SET/DROP DEFAULT; `action` is the clause as rendered. Renames are RenameTable."""

    name: Name
    action: str
    materialized: bool = False


class RefreshView(BaseOperation, frozen=True, kw_only=True, tag="refresh_view"):
    name: Name
    concurrently: bool = False
    with_data: bool = True
