# The artifact service. Set listen = "0.0.0.0:7730" and artifacts = "/var/lib/joule-store" in [store].
#   docker build -f deploy/docker/store.Dockerfile -t joule-store .          (from the top of the repository)
#   docker run --read-only -v joule-store:/var/lib/joule-store -v ./joule.toml:/etc/joule/joule.toml:ro joule-store

FROM debian:bookworm-slim AS build
# Debian's compiler, as toolchain/setup.sh has it.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends rustc-web cargo-web gcc g++ libc6-dev make cmake perl pkg-config ca-certificates \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/root/.cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked --ignore-rust-version -p joule-store --bin joule-store \
    && install -D target/release/joule-store /out/joule-store

FROM debian:bookworm-slim
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl libgcc-s1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 7730 --user-group --home-dir /var/lib/joule-store --shell /usr/sbin/nologin joule \
    && install -d -o joule -g joule -m 0700 /var/lib/joule-store
COPY --from=build /out/joule-store /usr/bin/joule-store
ENV JOULE_CONFIG=/etc/joule/joule.toml JOULE_JSON=true
USER 7730:7730
WORKDIR /var/lib/joule-store
VOLUME /var/lib/joule-store
EXPOSE 7730
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:7730/healthz"]
ENTRYPOINT ["/usr/bin/joule-store"]
CMD ["run"]
