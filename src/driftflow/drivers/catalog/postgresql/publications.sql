-- Publications with what they carry: everything, schemas, or named tables.
select
    p.pubname as name,
    p.puballtables as all_tables,
    ( -- since 15
        select array_agg(n.nspname::text order by n.nspname) -- since 15
        from pg_publication_namespace pn -- since 15
        join pg_namespace n on n.oid = pn.pnnspid -- since 15
        where pn.pnpubid = p.oid -- since 15
    ) as schemas, -- since 15
    null::text[] as schemas, -- before 15
    (
        select jsonb_agg(jsonb_build_array(n.nspname, c.relname) order by n.nspname, c.relname)
        from pg_publication_rel pr
        join pg_class c on c.oid = pr.prrelid
        join pg_namespace n on n.oid = c.relnamespace
        where pr.prpubid = p.oid
    ) as tables
from pg_publication p
order by p.pubname
