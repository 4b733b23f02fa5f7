-- Schemas that are not the server's own, whether the role may look into them, and what is said of them.
select
    n.nspname as name,
    has_schema_privilege(n.oid, 'USAGE') as usable,
    pg_get_userbyid(n.nspowner) as owner,
    n.nspacl::text[] as acl,
    note.description as comment
from pg_namespace n
left join pg_description note on note.classoid = 'pg_namespace'::regclass and note.objoid = n.oid
where n.nspname !~ '^pg_'
    and n.nspname not in ('information_schema', 'driftflow')
    and not exists (
        select from pg_depend d
        where d.classid = 'pg_namespace'::regclass and d.objid = n.oid and d.deptype = 'e'
    )
order by n.nspname
