-- Schemas that are not the server's own, and whether the role may look into them.
select
    n.nspname as name,
    has_schema_privilege(n.oid, 'USAGE') as usable
from pg_namespace n
where n.nspname !~ '^pg_'
    and n.nspname not in ('information_schema', 'driftflow')
    and not exists (
        select from pg_depend d
        where d.classid = 'pg_namespace'::regclass and d.objid = n.oid and d.deptype = 'e'
    )
order by n.nspname
