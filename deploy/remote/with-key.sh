#!/bin/sh
# `with-key.sh USER COMMAND...`: give USER the certificate's key as its own, then start as the image does. The file of
# the host belongs to another user, and neither PostgreSQL nor RabbitMQ would take it.
set -eu
user=$1
shift
chown "$user" /run/attpcdaq
chmod 700 /run/attpcdaq
install -o "$user" -m 600 /run/secrets/services_key /run/attpcdaq/key.pem
exec docker-entrypoint.sh "$@"
