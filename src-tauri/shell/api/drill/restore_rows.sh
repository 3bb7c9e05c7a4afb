# Puts the rows of these schemas back, from the dump of standard input, while everybody stays connected.
set -e
export PGOPTIONS='-c lock_timeout=3s'
run() { psql -X -q -A -t -v ON_ERROR_STOP=1 -U ratiba -d ratiba "$@"; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cat >"$dir/dump"
list=
for schema in "$@"; do
    list="$list${list:+, }'$schema'"
    set -- "$@" -n "$schema"
    shift
done
tables=$(run -c "SELECT string_agg(format('%I.%I', schemaname, tablename), ', ') FROM pg_tables WHERE schemaname IN ($list)")
{
    echo "BEGIN; SET LOCAL session_replication_role = replica; TRUNCATE $tables;"
    pg_restore --data-only "$@" -f "$dir/rows" "$dir/dump"
    cat "$dir/rows"
    echo "COMMIT; ANALYZE $tables;"
} >"$dir/all"
run -o /dev/null -f "$dir/all"
