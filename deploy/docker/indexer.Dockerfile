# The indexer. Set listen = "0.0.0.0:7700" in [indexer], and database under /var/lib/joule-indexer.
#   docker build -f deploy/docker/indexer.Dockerfile -t joule-indexer .          (from the top of the repository)
#   docker run --read-only -v joule-indexer:/var/lib/joule-indexer -v ./joule.toml:/etc/joule/joule.toml:ro joule-indexer

FROM debian:bookworm-slim AS build
# Debian's compiler, as toolchain/setup.sh has it.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends rustc-web cargo-web gcc g++ libc6-dev make cmake perl pkg-config ca-certificates \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/root/.cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked --ignore-rust-version -p joule-indexer --bin joule-indexer \
    && install -D target/release/joule-indexer /out/joule-indexer

FROM debian:bookworm-slim
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl libgcc-s1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 7700 --user-group --home-dir /var/lib/joule-indexer --shell /usr/sbin/nologin joule \
    && install -d -o joule -g joule -m 0700 /var/lib/joule-indexer
COPY --from=build /out/joule-indexer /usr/bin/joule-indexer
ENV JOULE_CONFIG=/etc/joule/joule.toml JOULE_JSON=true
USER 7700:7700
WORKDIR /var/lib/joule-indexer
VOLUME /var/lib/joule-indexer
EXPOSE 7700
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 \
    CMD ["curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:7700/healthz"]
ENTRYPOINT ["/usr/bin/joule-indexer"]
CMD ["run"]
