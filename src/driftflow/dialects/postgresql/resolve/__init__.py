"""Everything implicit made explicit: schemas by search_path, the names that the server would make up, referenced keys, serial, LIKE.

`serial` becomes `nextval('t_id_seq'::regclass)` and NOT NULL; the sequence itself is implied by that default (`Catalog.after` makes it, owned by
the column). Names follow ChooseRelationName, ChooseIndexName and ChooseConstraintName of PostgreSQL 18, numbered against the catalog.
"""

from driftflow.dialects.postgresql.resolve.operation import resolve as resolve
