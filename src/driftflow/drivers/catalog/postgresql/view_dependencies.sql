-- What each view reads: relations, and their columns where the server keeps them.
select distinct
    n.nspname as schema,
    c.relname as name,
    rn.nspname as referenced_schema,
    r.relname as referenced_name,
    a.attname as referenced_column
from pg_rewrite w
join pg_class c on c.oid = w.ev_class and c.relkind in ('v', 'm')
join pg_namespace n on n.oid = c.relnamespace
join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid
    and d.refclassid = 'pg_class'::regclass and d.refobjid <> c.oid and d.deptype = 'n'
join pg_class r on r.oid = d.refobjid and r.relkind in ('r', 'p', 'f', 'v', 'm')
join pg_namespace rn on rn.oid = r.relnamespace
left join pg_attribute a on a.attrelid = r.oid and a.attnum = d.refobjsubid and d.refobjsubid > 0
where n.nspname !~ '^pg_'
    and n.nspname not in ('information_schema', 'driftflow')
    and (:relations::oid[] is null or c.oid = any (:relations::oid[]))
order by 1, 2, 3, 4, 5
