# Puts the database of standard input in the place of the present one; every other database goes.
set -e
run() { psql -X -q -v ON_ERROR_STOP=1 -U ratiba -d postgres "$@"; }
run -A -t -c "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname NOT IN ('postgres', 'ratiba')" |
    while read -r name; do run -v "name=$name" <<'SQL'
DROP DATABASE :"name" WITH (FORCE)
SQL
    done
run -c 'CREATE DATABASE ratiba_healed TEMPLATE template0'
pg_restore -U ratiba -d ratiba_healed --exit-on-error
psql -X -q -v ON_ERROR_STOP=1 -U ratiba -d ratiba_healed -c ANALYZE
run -c 'DROP DATABASE IF EXISTS ratiba WITH (FORCE)'
run -c 'ALTER DATABASE ratiba_healed RENAME TO ratiba'
