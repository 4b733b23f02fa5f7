-- Functions, procedures, aggregates and window functions that are neither the server's own nor an extension's.
select
    n.nspname as schema,
    p.proname as name,
    pg_get_function_identity_arguments(p.oid) as arguments,
    p.prokind::text as kind,
    p.provolatile::text as volatility,
    l.lanname as language,
    pg_get_function_result(p.oid) as returns,
    case when p.prokind <> 'a' then pg_get_functiondef(p.oid) end as definition,
    p.prosecdef as security_definer,
    pg_get_userbyid(p.proowner) as owner,
    p.proacl::text[] as acl,
    (
        select jsonb_agg(distinct jsonb_build_array(rn.nspname, r.relname))
        from pg_depend d
        join pg_class r on r.oid = d.refobjid and r.relkind in ('r', 'p', 'f', 'v', 'm')
        join pg_namespace rn on rn.oid = r.relnamespace
        where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.refclassid = 'pg_class'::regclass
    ) as relations,
    ( -- columns that a body of SQL names: the server keeps a dependency on each (none before 14)
        select jsonb_agg(distinct jsonb_build_array(rn.nspname, r.relname, a.attname))
        from pg_depend d
        join pg_class r on r.oid = d.refobjid and r.relkind in ('r', 'p', 'f', 'v', 'm')
        join pg_namespace rn on rn.oid = r.relnamespace
        join pg_attribute a on a.attrelid = r.oid and a.attnum = d.refobjsubid
        where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.refclassid = 'pg_class'::regclass and d.refobjsubid > 0
    ) as columns,
    note.description as comment
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
join pg_language l on l.oid = p.prolang
left join pg_description note on note.classoid = 'pg_proc'::regclass and note.objoid = p.oid
where n.nspname !~ '^pg_'
    and n.nspname not in ('information_schema', 'driftflow')
    and not exists (
        select from pg_depend d
        where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype in ('e', 'i')
    )
order by n.nspname, p.proname, 3
