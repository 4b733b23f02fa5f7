-- Row-level security policies.
select
    n.nspname as schema,
    c.relname as relation,
    p.polname as name,
    p.polpermissive as permissive,
    p.polcmd::text as command,
    (
        select array_agg(coalesce(r.rolname::text, 'public') order by 1)
        from unnest(p.polroles) as member (oid)
        left join pg_roles r on r.oid = member.oid
    ) as roles,
    pg_get_expr(p.polqual, p.polrelid) as using_expression,
    pg_get_expr(p.polwithcheck, p.polrelid) as check_expression,
    note.description as comment
from pg_policy p
join pg_class c on c.oid = p.polrelid
join pg_namespace n on n.oid = c.relnamespace
left join pg_description note on note.classoid = 'pg_policy'::regclass and note.objoid = p.oid
where n.nspname !~ '^pg_'
    and n.nspname not in ('information_schema', 'driftflow')
    and (:relations::oid[] is null or c.oid = any (:relations::oid[]))
order by n.nspname, c.relname, p.polname
