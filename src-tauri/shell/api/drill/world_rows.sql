-- A name for each table, and the statement that says what is in it. Each is a statement of its own: a
-- table that can't be read, or is locked, keeps no other.
SELECT format('postgres/%s/%s', n.nspname, c.relname), format('SELECT %L || count(*) || '' rows '' || md5(coalesce(string_agg(t::text, E''\n'' ORDER BY t::text COLLATE "C"), '''')) FROM %I.%I t',
    format(E'postgres/%s/%s\t', n.nspname, c.relname), n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
