-- Installed extensions.
select e.extname as name, e.extversion as version, n.nspname as schema, coalesce(note.description, '') as comment
from pg_extension e
join pg_namespace n on n.oid = e.extnamespace
left join pg_description note on note.classoid = 'pg_extension'::regclass and note.objoid = e.oid
order by e.extname
