"""Views and materialized views."""

from __future__ import annotations

from driftflow.dialects.postgresql.deparse import NotUnderstood, query_text
from driftflow.dialects.postgresql.deparse.expression import names_of
from driftflow.dialects.postgresql.grammar import Node
from driftflow.dialects.postgresql.parse.node import options, relation
from driftflow.dialects.postgresql.parse.touches import reads_of
from driftflow.model.catalog import View
from driftflow.model.operations import CreateView, Operation, RefreshView


def create_view(body: Node, sql: str) -> tuple[Operation, ...]:
    persistence = body["view"].get("relpersistence", "p")
    view = View(
        name=relation(body["view"]),
        definition=query_text(body["query"]),
        columns=tuple(names_of(body.get("aliases", []))),
        depends_on=reads_of(body["query"]),
        options=options(body.get("options", [])),
    )
    return (
        CreateView(
            view=view,
            or_replace=bool(body.get("replace")),
            temporary=persistence == "t",
            check_option={"LOCAL_CHECK_OPTION": "LOCAL", "CASCADED_CHECK_OPTION": "CASCADED"}.get(
                body.get("withCheckOption", ""), ""
            ),
        ),
    )


def create_materialized_view(body: Node) -> tuple[Operation, ...]:
    into = body["into"]
    if "accessMethod" in into or "tableSpaceName" in into:
        raise NotUnderstood("a materialized view with a tablespace or an access method")
    view = View(
        name=relation(into["rel"]),
        definition=query_text(body["query"]),
        materialized=True,
        columns=tuple(names_of(into.get("colNames", []))),
        depends_on=reads_of(body["query"]),
        options=options(into.get("options", [])),
    )
    return (CreateView(view=view, if_not_exists=bool(body.get("if_not_exists")), with_data=not into.get("skipData")),)


def refresh(body: Node, sql: str) -> tuple[Operation, ...]:
    return (
        RefreshView(
            name=relation(body["relation"]), concurrently=bool(body.get("concurrent")), with_data=not body.get("skipData")
        ),
    )
