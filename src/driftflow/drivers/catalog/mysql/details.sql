-- What the server keeps of objects beside what the catalog holds of them; read by the lab alone, to compare two databases.
select 'table' as kind, table_schema as `schema`, table_name as name, '' as part, 'position' as fact, cast(auto_increment as char) as value
from information_schema.tables where table_schema = database() and table_type = 'BASE TABLE'
union all
select 'event', event_schema, event_name, '', 'definition',
    concat_ws(' ', definer, event_type, execute_at, interval_value, interval_field, on_completion, status, event_definition)
from information_schema.events where event_schema = database()
union all
select 'database', '', '', '', 'collation', default_collation_name
from information_schema.schemata where schema_name = database()
