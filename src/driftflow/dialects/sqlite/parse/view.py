"""CREATE VIEW."""

from __future__ import annotations

from driftflow.dialects.relations import relations_read
from driftflow.dialects.sqlite.normal import normal
from driftflow.dialects.sqlite.parse.cursor import Cursor
from driftflow.model.catalog import View
from driftflow.model.names import Name
from driftflow.model.operations import CreateView


def create_view(cursor: Cursor, *, temporary: bool) -> CreateView:
    """Behind CREATE [TEMP] VIEW."""
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    name = cursor.qualified()
    temporary = temporary or name.schema.lower() == "temp"
    if temporary:
        name = Name(schema="temp", name=name.name)
    columns = cursor.name_list() if cursor.at("(") else ()
    cursor.expect("AS")
    query = cursor.rest()
    view = View(name=name, definition=normal(query), columns=columns, depends_on=relations_read(cursor.over(query)))
    return CreateView(view=view, if_not_exists=if_not_exists, temporary=temporary)
