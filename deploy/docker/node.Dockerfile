# The node. Set listen = "0.0.0.0:7720" in [node], and key, kept and votes under /var/lib/joule-node.
#   docker build -f deploy/docker/node.Dockerfile -t joule-node .          (from the top of the repository)
#   docker run --read-only -v joule-node:/var/lib/joule-node -v ./joule.toml:/etc/joule/joule.toml:ro joule-node

FROM debian:bookworm-slim AS build
# Debian's compiler, as toolchain/setup.sh has it.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends rustc-web cargo-web gcc g++ libc6-dev make cmake perl pkg-config ca-certificates \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/root/.cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked --ignore-rust-version -p joule-node --bin joule-node \
    && install -D target/release/joule-node /out/joule-node

FROM debian:bookworm-slim
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl libgcc-s1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 7700 --user-group --home-dir /var/lib/joule-node --shell /usr/sbin/nologin joule \
    && install -d -o joule -g joule -m 0700 /var/lib/joule-node
COPY --from=build /out/joule-node /usr/bin/joule-node
ENV JOULE_CONFIG=/etc/joule/joule.toml JOULE_JSON=true
USER 7700:7700
WORKDIR /var/lib/joule-node
VOLUME /var/lib/joule-node
EXPOSE 7720
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:7720/healthz"]
ENTRYPOINT ["/usr/bin/joule-node"]
CMD ["run"]
