-- Names and hashes of all that is in Postgres but rows, a tab between.
SET lock_timeout = '1s';
SET statement_timeout = '5s';
SELECT 'objects/' || n.nspname || E'\t' || md5(coalesce(string_agg(o.line, E'\n' ORDER BY o.line), ''))
FROM pg_namespace n LEFT JOIN LATERAL (
    SELECT format('%s %s %s', relkind, relname, relpersistence) AS line FROM pg_class WHERE relnamespace = n.oid
    UNION ALL
    SELECT format('%s.%s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid))
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = n.oid AND c.relkind <> 'i'
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = n.nspname
    UNION ALL SELECT format('%s %s', conname, pg_get_constraintdef(oid)) FROM pg_constraint WHERE connamespace = n.oid
    UNION ALL SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = n.oid AND NOT t.tgisinternal
    UNION ALL SELECT format('%s %s %s', proname, pg_get_function_identity_arguments(oid), md5(prosrc)) FROM pg_proc WHERE pronamespace = n.oid
) o ON true
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' GROUP BY n.nspname;
SELECT 'database/' || datname || E'\t' || 'there' FROM pg_database WHERE NOT datistemplate AND datname NOT IN ('postgres', 'ratiba');
SELECT 'role/' || rolname || E'\t' || md5(format('%s %s %s', rolsuper, rolcanlogin, rolconfig)) FROM pg_roles WHERE rolname !~ '^pg_';
