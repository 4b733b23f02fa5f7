"""Row-level security policies."""

from __future__ import annotations

from driftflow.dialects.postgresql.deparse import expression_text
from driftflow.dialects.postgresql.grammar import Node
from driftflow.dialects.postgresql.parse.node import relation, roles
from driftflow.dialects.postgresql.parse.touches import reads_of
from driftflow.model.catalog import Policy
from driftflow.model.names import Name
from driftflow.model.operations import AlterPolicy, CreatePolicy, Operation


def create_policy(body: Node, sql: str) -> tuple[Operation, ...]:
    policy = Policy(
        name=body["policy_name"],
        table=relation(body["table"]),
        permissive=bool(body.get("permissive")),
        command=body["cmd_name"].upper(),
        roles=roles(body["roles"]),
        using=expression_text(body["qual"]) if "qual" in body else "",
        check=expression_text(body["with_check"]) if "with_check" in body else "",
    )
    return (CreatePolicy(policy=policy, reads=_reads(body)),)


def alter_policy(body: Node, sql: str) -> tuple[Operation, ...]:
    return (
        AlterPolicy(
            name=body["policy_name"],
            table=relation(body["table"]),
            roles=roles(body.get("roles", [])),
            using=expression_text(body["qual"]) if "qual" in body else "",
            check=expression_text(body["with_check"]) if "with_check" in body else "",
            reads=_reads(body),
        ),
    )


def _reads(body: Node) -> tuple[Name, ...]:
    return reads_of({key: body[key] for key in ("qual", "with_check") if key in body})
