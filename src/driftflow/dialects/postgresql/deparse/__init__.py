"""From the grammar's tree to text: one spelling for each meaning, near to what the server itself prints, brackets only where they are needed."""

from driftflow.dialects.postgresql.deparse.expression import NotUnderstood as NotUnderstood
from driftflow.dialects.postgresql.deparse.expression import expression_text as expression_text
from driftflow.dialects.postgresql.deparse.query import query_text as query_text
from driftflow.dialects.postgresql.deparse.query import relation_text as relation_text
