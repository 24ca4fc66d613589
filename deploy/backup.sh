#!/bin/bash
# Dumps of the database into /backups (or ATTPCDAQ_BACKUPS): `backup.sh` makes one every ATTPCDAQ_BACKUP_EVERY hours and
# keeps the newest ATTPCDAQ_BACKUP_KEEP; `once` makes one and prints its name, `tidy` deletes those that are too many;
# `version NAME` prints the version that made a dump; `fill NAME DATABASE` puts all of it, or nothing, into an empty
# database. A dump has its final name when it is whole.
set -euo pipefail
at=${ATTPCDAQ_BACKUPS:-/backups}
ours=${ATTPCDAQ_VERSION:-$(sed -n 's/^version = "\(.*\)"$/\1/p' "$(dirname "$0")/../pyproject.toml")}
every=${ATTPCDAQ_BACKUP_EVERY:-6} keep=${ATTPCDAQ_BACKUP_KEEP:-60}
for number in "$every" "$keep"; do
    [[ $number =~ ^[1-9][0-9]{0,3}$ ]] || {
        echo "backup: ATTPCDAQ_BACKUP_EVERY (hours) and ATTPCDAQ_BACKUP_KEEP (dumps) must be whole numbers from 1 to 9999" >&2
        exit 2
    }
done

dump() {
    local name part
    name=attpcdaq-$ours-$(date -u +%Y%m%dT%H%M%SZ).dump
    part=$at/.$name.part
    # The version travels inside the dump too: who restores it asks for this comment.
    # One chain: bash forgets `set -e` where the outcome is asked for, and half a dump must never get a name.
    psql --quiet --no-psqlrc --command "COMMENT ON SCHEMA public IS 'AT-TPC DAQ $ours'" \
        && pg_dump --format custom --file "$part" \
        && pg_restore --list "$part" >/dev/null \
        && sync "$part" \
        && mv --no-clobber "$part" "$at/$name" \
        && [ ! -e "$part" ] \
        && echo "$name" && return
    rm -f "$part"
    return 1
}

# Whole dumps of ours, not of the future: what a clock made that was ahead must not pass for the newest.
dumps() {
    find "$at" -maxdepth 1 -type f -regextype posix-extended \
        -regex '.*/attpcdaq-[^/ ]+-[0-9]{8}T[0-9]{6}Z\.dump' ! -newermt now "$@"
}

tidy() {
    dumps -printf '%T@ %f\n' | sort -rn | cut -d' ' -f2 | tail -n "+$((keep + 1))" \
        | while read -r old; do rm -f -- "$at/$old"; done
    # Who was killed while it made one left half of it.
    find "$at" -maxdepth 1 -type f -name '.attpcdaq-*.dump.part' -mmin +1440 -delete
}

is_due() { [ -z "$(dumps -mmin "-$((every * 60))" -print -quit)" ]; }

version() {
    pg_restore --schema-only --file - "$at/$1" | sed -n "s/^COMMENT ON SCHEMA public IS 'AT-TPC DAQ \(.*\)';$/\1/p"
}

fill() { pg_restore --exit-on-error --single-transaction --no-owner --dbname "$2" "$at/$1"; }

# The status page warns when this was too long ago (docs/operations.md); no backup fails because of it.
tell() {
    psql --quiet --no-psqlrc --output /dev/null --command "
        INSERT INTO live_servicebeat (service, host, pid, version, started_at, at, skew, numbers)
        VALUES ('backup', 'backup', $$, '$ours', now(), now(), 0, '{\"every_hours\": $every}')
        ON CONFLICT (service, host) DO UPDATE
        SET at = excluded.at, version = excluded.version, numbers = excluded.numbers" 2>/dev/null || true
}

umask 077
case ${1:-} in
    once)
        dump || exit
        tell
        exit
        ;;
    tidy | version | fill) "$@"; exit ;;
esac
trap 'exit 0' TERM INT
failing=
while true; do
    if is_due; then
        if name=$(dump 2>/tmp/why); then
            echo "backup: $name"
            failing=
            tell
            tidy
        else
            [ -n "$failing" ] || echo "backup: failed, tried again every minute: $(tail -n 2 /tmp/why | tr '\n' ' ')" >&2
            failing=1
        fi
    fi
    touch /tmp/alive
    [ -z "$failing" ] || rm -f /tmp/alive
    sleep 60 &
    wait $!
done
