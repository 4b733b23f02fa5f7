-- Some relations, and the views that read them by themselves.
with named as (
    select c.oid
    from unnest(:schemas::name[], :names::name[]) as wanted (schema, name)
    join pg_namespace n on n.nspname = wanted.schema
    join pg_class c on c.relnamespace = n.oid and c.relname = wanted.name
)
select oid from named
union
select w.ev_class
from named
join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = named.oid
    and d.classid = 'pg_rewrite'::regclass and d.deptype = 'n'
join pg_rewrite w on w.oid = d.objid and w.ev_class <> named.oid
join pg_class c on c.oid = w.ev_class and c.relkind in ('v', 'm')
order by 1
