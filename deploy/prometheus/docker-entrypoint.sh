#!/bin/sh
# Starts Prometheus with the token of the environment, in the file that prometheus.yml names, and the targets of
# docker-compose.yml and of MORE_TARGETS, such as "archive:7000". Arguments are its own.
set -eu
umask 077
printf '%s' "${INTERNAL_TOKEN-}" >/data/chorus-token
cp /etc/prometheus/targets.yml /data/targets.yml
for target in ${MORE_TARGETS-}; do printf '    - %s\n' "$target"; done >>/data/targets.yml
exec prometheus --config.file=/etc/prometheus/prometheus.yml --storage.tsdb.path=/data \
    --web.listen-address=0.0.0.0:9090 "$@"
