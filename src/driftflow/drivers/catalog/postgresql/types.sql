-- Enums, domains, composite, range and base types; not arrays, and not the row types of tables.
select
    n.nspname as schema,
    t.typname as name,
    case when not t.typisdefined then 'shell' else t.typtype::text end as kind,
    (
        select array_agg(e.enumlabel::text order by e.enumsortorder)
        from pg_enum e
        where e.enumtypid = t.oid
    ) as labels,
    case t.typtype when 'd' then format_type(t.typbasetype, t.typtypmod) end as base,
    t.typnotnull as not_null,
    pg_get_expr(t.typdefaultbin, 0) as default_expression,
    case when t.typtype = 'd' and t.typcollation <> base.typcollation then
        case when cn.nspname = 'pg_catalog' then coll.collname else cn.nspname || '.' || coll.collname end
    end as collation,
    (
        select jsonb_agg(
            jsonb_build_array(con.conname, pg_get_constraintdef(con.oid), con.convalidated)
            order by con.conname
        )
        from pg_constraint con
        where con.contypid = t.oid and con.contype = 'c'
    ) as checks,
    concat_ws(', ', 'subtype = ' || format_type(r.rngsubtype, null), 'subtype_diff = ' || nullif(r.rngsubdiff, 0)::regproc) as range_of,
    pg_get_userbyid(t.typowner) as owner,
    t.typacl::text[] as acl,
    note.description as comment
from pg_type t
join pg_namespace n on n.oid = t.typnamespace
left join pg_class c on c.oid = t.typrelid
left join pg_type base on base.oid = t.typbasetype
left join pg_collation coll on coll.oid = t.typcollation
left join pg_namespace cn on cn.oid = coll.collnamespace
left join pg_range r on r.rngtypid = t.oid
left join pg_description note on note.classoid = 'pg_type'::regclass and note.objoid = t.oid and note.objsubid = 0
where n.nspname !~ '^pg_'
    and n.nspname not in ('information_schema', 'driftflow')
    and (t.typrelid = 0 or c.relkind = 'c')
    and t.typtype <> 'm'
    and not (t.typcategory = 'A' and t.typelem <> 0)
    and not exists (
        select from pg_depend d
        where d.classid = 'pg_type'::regclass and d.objid = t.oid and d.deptype = 'e'
    )
order by n.nspname, t.typname
