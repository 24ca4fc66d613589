#!/bin/bash
# What the official script promises and stacks use: an empty data directory becomes a database with POSTGRES_USER,
# POSTGRES_PASSWORD and POSTGRES_DB (each also as NAME_FILE), POSTGRES_INITDB_ARGS, POSTGRES_HOST_AUTH_METHOD, and the
# scripts of /docker-entrypoint-initdb.d; root hands over to the user postgres.
set -Eeuo pipefail

from_file() {
    local file=$1_FILE
    [ -n "${!file:-}" ] || return 0
    [ -z "${!1:-}" ] || { echo "error: both $1 and $file are set" >&2; exit 1; }
    export "$1=$(<"${!file}")"
    unset "$file"
}

become_postgres() {
    mkdir -p "$PGDATA"
    chmod 700 "$PGDATA"
    find "$PGDATA" /run/postgresql ! -user postgres -exec chown postgres {} +
    exec setpriv --reuid postgres --regid postgres --init-groups "$0" "$@"
}

sql() { psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$@"; }

scripts() {
    local script
    for script in /docker-entrypoint-initdb.d/*; do
        case $script in
            *.sh) if [ -x "$script" ]; then "$script"; else . "$script"; fi ;;
            *.sql) sql "$POSTGRES_DB" --file "$script" ;;
            *.sql.gz) gunzip --stdout "$script" | sql "$POSTGRES_DB" ;;
        esac
    done
}

first_start() {
    local auth=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
    if [ -z "${POSTGRES_PASSWORD:-}" ] && [ "$auth" != trust ]; then
        echo "Error: Database is uninitialized and superuser password is not specified." >&2
        exit 1
    fi
    eval "initdb --username=\"\$POSTGRES_USER\" --pwfile=<(printf '%s\n' \"\${POSTGRES_PASSWORD:-}\") ${POSTGRES_INITDB_ARGS:-}"
    printf '\nhost all all all %s\n' "$auth" >>"$PGDATA/pg_hba.conf"
    export PGPASSWORD=${POSTGRES_PASSWORD:-}
    pg_ctl --options "-c listen_addresses=''" --wait start
    [ "$POSTGRES_DB" = postgres ] || sql postgres --set name="$POSTGRES_DB" <<<'CREATE DATABASE :"name"'
    scripts
    pg_ctl --mode fast --wait stop
    unset PGPASSWORD
}

[ "${1:0:1}" != - ] || set -- postgres "$@"
[ "${1:-}" = postgres ] || exec "$@"
[ "$(id -u)" != 0 ] || become_postgres "$@"
for name in POSTGRES_PASSWORD POSTGRES_USER POSTGRES_DB POSTGRES_INITDB_ARGS; do from_file "$name"; done
: "${POSTGRES_USER:=postgres}"
: "${POSTGRES_DB:=$POSTGRES_USER}"
[ -s "$PGDATA/PG_VERSION" ] || first_start
exec "$@"
