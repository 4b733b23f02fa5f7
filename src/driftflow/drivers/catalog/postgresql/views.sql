-- Views and materialized views.
select
    n.nspname as schema,
    c.relname as name,
    c.relkind::text as kind,
    pg_get_viewdef(c.oid) as definition,
    c.reloptions as options,
    pg_get_userbyid(c.relowner) as owner,
    c.relacl::text[] as acl,
    c.relispopulated as populated,
    (
        select array_agg(distinct case one.grantee when 0 then '' else pg_get_userbyid(one.grantee)::text end)
        from pg_default_acl d
        cross join lateral aclexplode(d.defaclacl) as one
        where d.defaclobjtype = 'r' and pg_get_userbyid(d.defaclrole) = current_user
            and d.defaclnamespace in (0, c.relnamespace) and one.grantee <> d.defaclrole
    ) as given,
    note.description as comment
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
left join pg_description note on note.classoid = 'pg_class'::regclass and note.objoid = c.oid and note.objsubid = 0
where c.relkind in ('v', 'm')
    and c.relpersistence <> 't'
    and n.nspname !~ '^pg_'
    and n.nspname not in ('information_schema', 'driftflow')
    and (:relations::oid[] is null or c.oid = any (:relations::oid[]))
    and not exists (
        select from pg_depend d
        where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
    )
order by n.nspname, c.relname
