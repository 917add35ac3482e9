# syntax=docker/dockerfile:1
# herald in a container, without rights and without anything that it does not need.
#
#   docker build -t herald .
#
# With a plugin in a folder of its own, a project as `herald plugins new NAME --path FOLDER` writes it:
#
#   docker build --build-context plugin=FOLDER --target with-plugin -t herald .
#
# The configuration is mounted at /config, what herald remembers lies in /state:
#
#   docker run -v ./config:/config:ro -v state:/state herald

FROM rust:1.95-slim-trixie AS build
WORKDIR /src
COPY . .
RUN cargo build --locked --profile dist --bin herald

# The folder of the plugin; `--build-context plugin=FOLDER` stands in for this one.
FROM scratch AS plugin

# What the plugin takes from the registry are the crates of this checkout, in the versions of its lock file.
FROM build AS build-with-plugin
COPY --from=plugin . /plugin
RUN packaging/docker/build-with-plugin /plugin /out

FROM debian:trixie-slim AS base
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin herald \
    && install -d -o herald -g herald /state \
    && install -d /config
ENV STATE_DIRECTORY=/state HERALD_CONFIG=/config/config.toml
VOLUME /state
WORKDIR /config
USER 10001
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["/usr/local/bin/herald", "health"]
ENTRYPOINT ["/usr/local/bin/herald"]
CMD ["run"]

FROM base AS with-plugin
COPY --from=build-with-plugin /out/herald /usr/local/bin/herald

# The last stage is what is built without `--target`.
FROM base AS herald
COPY --from=build /src/target/dist/herald /usr/local/bin/herald
