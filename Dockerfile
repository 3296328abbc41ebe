# 应答 in a container: one process, its data in a volume, not as root.
#   docker build -t yingda .
#   docker run -p 8640:8640 -v yingda:/data yingda
FROM rust:1-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked

FROM debian:bookworm-slim
# ffmpeg makes voice clips (`yingda voice`); the certificates are for WeCom.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates ffmpeg libavcodec-extra \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /data yingda \
    && install -d -o yingda -g yingda /data
COPY --from=build /src/target/release/yingda /usr/local/bin/yingda
COPY knowledge /srv/knowledge
COPY models /srv/models
USER yingda
WORKDIR /srv
VOLUME /data
# Outside of loopback only WeCom's callbacks, signed links and health answer without a key. A load balancer has three seconds
# to see that a process is about to stop.
ENV YINGDA_SERVE_LISTEN=0.0.0.0:8640 \
    YINGDA_SERVE_DATA=/data \
    YINGDA_SERVE_FAREWELL_SECONDS=3 \
    YINGDA_LOG_FORMAT=json
EXPOSE 8640
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --retries=3 CMD ["yingda", "health"]
ENTRYPOINT ["yingda"]
CMD ["serve"]
