FROM debian:bookworm-slim AS build
WORKDIR /src
# Before the sources, so that a changed source does not reinstall everything.
COPY scripts/install-deps scripts/lib.sh scripts/
RUN scripts/install-deps run
COPY CMakeLists.txt LICENSE NOTICE ./
COPY cmake cmake
COPY web web
COPY src src
RUN cmake -S . -B build -G Ninja \
 && cmake --build build --target chorus \
 && strip build/chorus

FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="Chorus" \
      org.opencontainers.image.description="Live comments for live video" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT"
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates libhiredis0.14 libjansson4 libsqlite3-0 libssl3 libutf8proc2 \
 && apt-get clean \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -o 65532 -g 65532 /data
COPY --from=build /src/build/chorus /usr/local/bin/chorus
# By number, so that an orchestrator can tell that it is not root.
USER 65532:65532
# `chorus up` creates its chorus-data here; mount a volume here to keep it.
WORKDIR /data
EXPOSE 3000 4001 4002 4003 5000 6000 7000
ENTRYPOINT ["chorus"]
CMD ["up", "--bind", "0.0.0.0"]
