"""Everything a statement can mean: one frozen record per operation, a closed union.

Each class knows one pure thing about itself: `after(catalog)`, the catalog as the operation leaves it.
Names are as the dialect folded them; `dialect.resolve` fills what the statement left implicit (schema, constraint names, defaults).
"""

from __future__ import annotations

from driftflow.model.operations.base import BaseOperation as BaseOperation
from driftflow.model.operations.base import CatalogConflict as CatalogConflict
from driftflow.model.operations.column import (
    AddColumn,
    AlterColumnType,
    AlterIdentity,
    DropColumn,
    DropDefault,
    DropExpression,
    DropNotNull,
    RenameColumn,
    SetColumnOption,
    SetDefault,
    SetExpression,
    SetNotNull,
)
from driftflow.model.operations.constraint import (
    AddConstraint,
    AlterConstraint,
    DropConstraint,
    RenameConstraint,
    ValidateConstraint,
)
from driftflow.model.operations.data import Copy, Delete, Insert, Select, Truncate, Update
from driftflow.model.operations.function import CreateFunction, DropFunction
from driftflow.model.operations.index import AlterIndex, CreateIndex, DropIndex, Reindex, RenameIndex
from driftflow.model.operations.object import (
    AlterObject,
    Comment,
    CreateExtension,
    CreateSchema,
    DropObject,
    DropSchema,
    Grant,
)
from driftflow.model.operations.partition import AlterPartitions
from driftflow.model.operations.policy import AlterPolicy, CreatePolicy, DropPolicy, SetRowSecurity
from driftflow.model.operations.raw import RawSql
from driftflow.model.operations.redefinition import ChangeColumn, ConvertCharset
from driftflow.model.operations.request import RequestAlgorithm
from driftflow.model.operations.sequence import AlterSequence, CreateSequence, DropSequence
from driftflow.model.operations.session import LockTable, Pragma, SetSetting, TransactionControl
from driftflow.model.operations.table import (
    AlterTableOption,
    AttachPartition,
    CreateTable,
    CreateTableAs,
    DetachPartition,
    DropTable,
    MoveTable,
    RenameTable,
    RewriteTable,
    SetInherit,
)
from driftflow.model.operations.trigger import AlterTrigger, CreateTrigger, DropTrigger, EnableTrigger
from driftflow.model.operations.type import AddEnumValue, AlterDomain, CreateType, DropType, RenameEnumValue
from driftflow.model.operations.view import AlterView, CreateView, DropView, RefreshView

Operation = (
    AddColumn
    | DropColumn
    | RenameColumn
    | AlterColumnType
    | SetDefault
    | DropDefault
    | SetNotNull
    | DropNotNull
    | AlterIdentity
    | SetExpression
    | DropExpression
    | SetColumnOption
    | ChangeColumn
    | AddConstraint
    | ValidateConstraint
    | AlterConstraint
    | DropConstraint
    | RenameConstraint
    | CreateIndex
    | DropIndex
    | RenameIndex
    | AlterIndex
    | Reindex
    | CreateTable
    | CreateTableAs
    | DropTable
    | RenameTable
    | MoveTable
    | AlterTableOption
    | RewriteTable
    | AttachPartition
    | DetachPartition
    | SetInherit
    | AlterPartitions
    | ConvertCharset
    | RequestAlgorithm
    | CreateView
    | DropView
    | AlterView
    | RefreshView
    | CreateTrigger
    | DropTrigger
    | AlterTrigger
    | EnableTrigger
    | CreateFunction
    | DropFunction
    | CreateType
    | AddEnumValue
    | RenameEnumValue
    | AlterDomain
    | DropType
    | CreateSequence
    | AlterSequence
    | DropSequence
    | CreatePolicy
    | AlterPolicy
    | DropPolicy
    | SetRowSecurity
    | CreateSchema
    | DropSchema
    | CreateExtension
    | Comment
    | Grant
    | AlterObject
    | DropObject
    | Insert
    | Update
    | Delete
    | Truncate
    | Copy
    | Select
    | TransactionControl
    | SetSetting
    | LockTable
    | Pragma
    | RawSql
)
"""The closed union. `match` over it ends with `assert_never`."""

__all__ = [
    "AddColumn",
    "AddConstraint",
    "AddEnumValue",
    "AlterColumnType",
    "AlterConstraint",
    "AlterDomain",
    "AlterIdentity",
    "AlterIndex",
    "AlterObject",
    "AlterPartitions",
    "AlterPolicy",
    "AlterSequence",
    "AlterTableOption",
    "AlterTrigger",
    "AlterView",
    "AttachPartition",
    "BaseOperation",
    "CatalogConflict",
    "ChangeColumn",
    "Comment",
    "ConvertCharset",
    "Copy",
    "CreateExtension",
    "CreateFunction",
    "CreateIndex",
    "CreatePolicy",
    "CreateSchema",
    "CreateSequence",
    "CreateTable",
    "CreateTableAs",
    "CreateTrigger",
    "CreateType",
    "CreateView",
    "Delete",
    "DetachPartition",
    "DropColumn",
    "DropConstraint",
    "DropDefault",
    "DropExpression",
    "DropFunction",
    "DropIndex",
    "DropNotNull",
    "DropObject",
    "DropPolicy",
    "DropSchema",
    "DropSequence",
    "DropTable",
    "DropTrigger",
    "DropType",
    "DropView",
    "EnableTrigger",
    "Grant",
    "Insert",
    "LockTable",
    "MoveTable",
    "Operation",
    "Pragma",
    "RawSql",
    "RefreshView",
    "Reindex",
    "RenameColumn",
    "RenameConstraint",
    "RenameEnumValue",
    "RenameIndex",
    "RenameTable",
    "RequestAlgorithm",
    "RewriteTable",
    "Select",
    "SetColumnOption",
    "SetDefault",
    "SetExpression",
    "SetInherit",
    "SetNotNull",
    "SetRowSecurity",
    "SetSetting",
    "TransactionControl",
    "Truncate",
    "Update",
    "ValidateConstraint",
]
