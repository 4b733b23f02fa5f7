-- Columns of tables, views, materialized views and composite types, in their order.
select
    n.nspname as schema,
    c.relname as relation,
    c.relkind::text as relation_kind,
    a.attname as name,
    format_type(a.atttypid, a.atttypmod) as type,
    a.attnotnull as not_null,
    a.attgenerated::text as generated,
    a.attidentity::text as identity,
    pg_get_expr(def.adbin, def.adrelid) as expression,
    case when a.attcollation <> 0 and a.attcollation <> t.typcollation then
        case when cn.nspname = 'pg_catalog' then coll.collname else cn.nspname || '.' || coll.collname end
    end as collation,
    case when a.attstorage <> t.typstorage then a.attstorage::text end as storage,
    a.attcompression::text as compression, -- since 14
    '' as compression, -- before 14
    nullif(coalesce(a.attstattarget, -1), -1)::int as statistics,
    a.attoptions::text[] as options,
    a.attacl::text[] as acl,
    note.description as comment,
    s.seqtypid::regtype::text as sequence_type,
    s.seqstart as sequence_start,
    s.seqincrement as sequence_increment,
    s.seqmin as sequence_minimum,
    s.seqmax as sequence_maximum,
    s.seqcache as sequence_cache,
    s.seqcycle as sequence_cycle
from pg_attribute a
join pg_class c on c.oid = a.attrelid
join pg_namespace n on n.oid = c.relnamespace
join pg_type t on t.oid = a.atttypid
left join pg_attrdef def on def.adrelid = a.attrelid and def.adnum = a.attnum
left join pg_collation coll on coll.oid = a.attcollation
left join pg_namespace cn on cn.oid = coll.collnamespace
left join pg_description note on note.classoid = 'pg_class'::regclass and note.objoid = a.attrelid and note.objsubid = a.attnum
left join pg_depend own
    on a.attidentity <> '' and own.refclassid = 'pg_class'::regclass and own.refobjid = a.attrelid
    and own.refobjsubid = a.attnum and own.classid = 'pg_class'::regclass and own.deptype = 'i'
left join pg_sequence s on s.seqrelid = own.objid
where a.attnum > 0
    and not a.attisdropped
    and c.relkind in ('r', 'p', 'f', 'v', 'm', 'c')
    and c.relpersistence <> 't'
    and n.nspname !~ '^pg_'
    and n.nspname not in ('information_schema', 'driftflow')
    and (:relations::oid[] is null or c.oid = any (:relations::oid[]))
order by n.nspname, c.relname, a.attnum
