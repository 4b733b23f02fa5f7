-- Functions, procedures, aggregates and window functions that are neither the server's own nor an extension's.
select
    n.nspname as schema,
    p.proname as name,
    pg_get_function_identity_arguments(p.oid) as arguments,
    p.prokind::text as kind,
    p.provolatile::text as volatility,
    l.lanname as language,
    pg_get_function_result(p.oid) as returns,
    case when p.prokind <> 'a' then pg_get_functiondef(p.oid) else format(
        'CREATE OR REPLACE AGGREGATE %I.%I(%s) (%s)', n.nspname, p.proname, coalesce(nullif(pg_get_function_arguments(p.oid), ''), '*'),
        concat_ws(', ',
            format('SFUNC = %s', ag.aggtransfn::regproc), format('STYPE = %s', format_type(ag.aggtranstype, null)),
            case when ag.aggtransspace > 0 then format('SSPACE = %s', ag.aggtransspace) end,
            case when ag.aggfinalfn <> 0 then format('FINALFUNC = %s, FINALFUNC_MODIFY = %s', ag.aggfinalfn::regproc,
                case ag.aggfinalmodify when 'r' then 'READ_ONLY' when 's' then 'SHAREABLE' else 'READ_WRITE' end) end,
            case when ag.aggfinalextra then 'FINALFUNC_EXTRA' end,
            case when ag.aggcombinefn <> 0 then format('COMBINEFUNC = %s', ag.aggcombinefn::regproc) end,
            case when ag.aggserialfn <> 0 then format('SERIALFUNC = %s', ag.aggserialfn::regproc) end,
            case when ag.aggdeserialfn <> 0 then format('DESERIALFUNC = %s', ag.aggdeserialfn::regproc) end,
            case when ag.agginitval is not null then format('INITCOND = %L', ag.agginitval) end,
            case when ag.aggmtransfn <> 0 then format('MSFUNC = %s, MINVFUNC = %s, MSTYPE = %s',
                ag.aggmtransfn::regproc, ag.aggminvtransfn::regproc, format_type(ag.aggmtranstype, null)) end,
            case when ag.aggmtransspace > 0 then format('MSSPACE = %s', ag.aggmtransspace) end,
            case when ag.aggmfinalfn <> 0 then format('MFINALFUNC = %s, MFINALFUNC_MODIFY = %s', ag.aggmfinalfn::regproc,
                case ag.aggmfinalmodify when 'r' then 'READ_ONLY' when 's' then 'SHAREABLE' else 'READ_WRITE' end) end,
            case when ag.aggmfinalextra then 'MFINALFUNC_EXTRA' end,
            case when ag.aggminitval is not null then format('MINITCOND = %L', ag.aggminitval) end,
            (select format('SORTOP = OPERATOR(%I.%s)', opn.nspname, op.oprname)
                from pg_operator op join pg_namespace opn on opn.oid = op.oprnamespace where op.oid = ag.aggsortop),
            format('PARALLEL = %s', case p.proparallel when 's' then 'SAFE' when 'r' then 'RESTRICTED' else 'UNSAFE' end),
            case when ag.aggkind = 'h' then 'HYPOTHETICAL' end
        )
    ) end as definition,
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
left join pg_aggregate ag on ag.aggfnoid = p.oid
left join pg_description note on note.classoid = 'pg_proc'::regclass and note.objoid = p.oid
where n.nspname !~ '^pg_'
    and n.nspname not in ('information_schema', 'driftflow')
    and not exists (
        select from pg_depend d
        where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype in ('e', 'i')
    )
order by n.nspname, p.proname, 3
