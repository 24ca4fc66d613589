#!/bin/sh
# As the official one: templates get the environment's variables (no others of nginx's own), then the scripts run.
set -e
case $1 in nginx | nginx-debug) ;; *) exec "$@" ;; esac
names=$(env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/${\1}/p' | tr '\n' ' ')
for template in /etc/nginx/templates/*.template; do
    [ -e "$template" ] || continue
    target=/etc/nginx/conf.d/$(basename "$template" .template)
    if [ -w /etc/nginx/conf.d ]; then
        envsubst "$names" <"$template" >"$target"
    else
        echo "$0: /etc/nginx/conf.d is not writable: $template is left alone" >&2
    fi
done
for script in /docker-entrypoint.d/*.sh; do
    [ ! -x "$script" ] || "$script"
done
exec "$@"
