"""From a statement's text to its operations. `statement.py` dispatches; the other files each read one family of statements."""

from driftflow.dialects.postgresql.parse.statement import operations_of as operations_of
from driftflow.dialects.postgresql.parse.statement import parse as parse
