# The gateway. Set listen = "0.0.0.0:8402" in [gateway], and key and ledger under /var/lib/joule-gateway.
#   docker build -f deploy/docker/gateway.Dockerfile -t joule-gateway .          (from the top of the repository)
#   docker run --read-only -v joule-gateway:/var/lib/joule-gateway -v ./joule.toml:/etc/joule/joule.toml:ro joule-gateway

FROM debian:bookworm-slim AS build
# Debian's compiler, as toolchain/setup.sh has it.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends rustc-web cargo-web gcc g++ libc6-dev make cmake perl pkg-config ca-certificates \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/root/.cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked --ignore-rust-version -p joule-gateway --bin joule-gateway \
    && install -D target/release/joule-gateway /out/joule-gateway

FROM debian:bookworm-slim
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl libgcc-s1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 7700 --user-group --home-dir /var/lib/joule-gateway --shell /usr/sbin/nologin joule \
    && install -d -o joule -g joule -m 0700 /var/lib/joule-gateway
COPY --from=build /out/joule-gateway /usr/bin/joule-gateway
ENV JOULE_CONFIG=/etc/joule/joule.toml JOULE_JSON=true
USER 7700:7700
WORKDIR /var/lib/joule-gateway
VOLUME /var/lib/joule-gateway
EXPOSE 8402
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 \
    CMD ["curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:8402/healthz"]
ENTRYPOINT ["/usr/bin/joule-gateway"]
CMD ["run"]
