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
        select jsonb_agg(jsonb_build_array(n.nspname, c.relname, concat(
            ' (' || ( -- since 15
                select string_agg(quote_ident(a.attname), ', ' order by a.attnum) from pg_attribute a -- since 15
                where a.attrelid = c.oid and a.attnum = any (pr.prattrs::smallint[]) -- since 15
            ) || ')', -- since 15
            ' WHERE (' || pg_get_expr(pr.prqual, pr.prrelid) || ')' -- since 15
            '' -- before 15
        )) order by n.nspname, c.relname)
        from pg_publication_rel pr
        join pg_class c on c.oid = pr.prrelid
        join pg_namespace n on n.oid = c.relnamespace
        where pr.prpubid = p.oid
    ) as tables,
    ( -- columns of a column list or of a row filter: the server keeps a dependency on each (none before 15)
        select jsonb_agg(jsonb_build_array(n.nspname, c.relname, a.attname) order by n.nspname, c.relname, a.attnum)
        from (
            select distinct d.refobjid, d.refobjsubid
            from pg_publication_rel pr
            join pg_depend d on d.classid = 'pg_publication_rel'::regclass and d.objid = pr.oid
            where pr.prpubid = p.oid and d.refclassid = 'pg_class'::regclass and d.refobjsubid > 0
        ) as named
        join pg_class c on c.oid = named.refobjid
        join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid and a.attnum = named.refobjsubid
    ) as columns,
    array_remove(array[
        format('publish = %L', concat_ws(', ',
            case when p.pubinsert then 'insert' end, case when p.pubupdate then 'update' end,
            case when p.pubdelete then 'delete' end, case when p.pubtruncate then 'truncate' end
        )),
        format('publish_generated_columns = %s', case p.pubgencols when 's' then 'stored' else 'none' end), -- since 18
        format('publish_via_partition_root = %s', p.pubviaroot::text), -- since 13
        null
    ], null) as options,
    note.description as comment
from pg_publication p
left join pg_description note on note.classoid = 'pg_publication'::regclass and note.objoid = p.oid
order by p.pubname
