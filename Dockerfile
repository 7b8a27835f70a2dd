# Two stages: what builds the program stays behind.
ARG PYTHON_VERSION=3.13

FROM python:${PYTHON_VERSION}-slim-trixie AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /source
COPY requirements requirements
# every file by its hash, none built from source; with pip's own tools gone from what is copied
RUN python -m venv --without-pip /opt/exporter \
    && python -m pip --python /opt/exporter/bin/python install \
        --require-hashes --only-binary=:all: --requirement=requirements/run.txt \
    && python -m venv /opt/build \
    && /opt/build/bin/python -m pip install \
        --require-hashes --only-binary=:all: --requirement=requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY exporter exporter
RUN /opt/build/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir=/wheels . \
    && python -m pip --python /opt/exporter/bin/python install --no-deps --no-index /wheels/*.whl

FROM python:${PYTHON_VERSION}-slim-trixie
LABEL org.opencontainers.image.title="wechat-miniprogram-exporter" \
      org.opencontainers.image.description="Prometheus exporter for WeChat mini programs' daily visit figures" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.documentation="https://github.com/wechat-miniprogram-exporter/wechat-miniprogram-exporter#readme" \
      org.opencontainers.image.source="https://github.com/wechat-miniprogram-exporter/wechat-miniprogram-exporter"
# storage.url is relative to the configuration's folder: its default, data/exporter.db, is to end in the volume
RUN install --directory --owner=65532 --group=65532 --mode=0700 /data \
    && install --directory /etc/wechat-miniprogram-exporter \
    && ln --symbolic /data /etc/wechat-miniprogram-exporter/data
COPY --from=build /opt/exporter /opt/exporter
# nothing is written but to the volume: run it with --read-only
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# a number, so that Kubernetes' runAsNonRoot can tell
USER 65532:65532
WORKDIR /data
VOLUME /data
EXPOSE 10950
HEALTHCHECK --interval=30s --timeout=6s --start-period=10s --retries=3 \
    CMD ["/opt/exporter/bin/wechat-miniprogram-exporter", "healthcheck"]
ENTRYPOINT ["/opt/exporter/bin/wechat-miniprogram-exporter"]
CMD ["--config.file=/etc/wechat-miniprogram-exporter/config.yaml"]
