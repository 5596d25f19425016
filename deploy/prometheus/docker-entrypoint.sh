#!/bin/sh
# Starts Prometheus with the token of the environment, in the file that prometheus.yml names. Arguments are its own.
set -eu
umask 077
printf '%s' "${INTERNAL_TOKEN-}" >/data/chorus-token
exec prometheus --config.file=/etc/prometheus/prometheus.yml --storage.tsdb.path=/data \
    --web.listen-address=0.0.0.0:9090 "$@"
