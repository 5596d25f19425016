# Chorus and its black-box tests on Debian 13, with the Redis-compatible server that STORE names (scripts/stores-test).
FROM debian:trixie-slim AS build
WORKDIR /src
COPY scripts/install-deps scripts/lib.sh scripts/
RUN scripts/install-deps run \
 && apt-get install -y --no-install-recommends nodejs openssl procps
COPY CMakeLists.txt LICENSE NOTICE ./
COPY cmake cmake
COPY web web
COPY src src
RUN cmake -S . -B build -G Ninja && cmake --build build --target chorus
COPY . .
RUN cmake -S . -B build

FROM build
ARG STORE
# The tests start `redis-server`.
RUN apt-get update \
 && apt-get install -y --no-install-recommends "$STORE" \
 && { command -v redis-server || ln -s "$(command -v "$STORE")" /usr/local/bin/redis-server; }
