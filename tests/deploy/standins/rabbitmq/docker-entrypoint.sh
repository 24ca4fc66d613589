#!/bin/bash
# As the official one: root hands over to the user rabbitmq, who owns the data.
set -euo pipefail
if [[ "${1:-}" == rabbitmq* ]] && [ "$(id -u)" = 0 ]; then
    [ "$1" != rabbitmq-server ] || find /var/lib/rabbitmq ! -user rabbitmq -exec chown rabbitmq {} +
    exec setpriv --reuid rabbitmq --regid rabbitmq --init-groups "$0" "$@"
fi
exec "$@"
