# pachops' own image. It builds through a Docker Engine and has none itself: give it one by
# DOCKER_HOST, or mount the socket and add the socket's group (docker run --group-add).

FROM python:3.11-slim-bookworm AS build
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /src
COPY pyproject.toml requirements.lock README.md ./
COPY bot bot
COPY handlers handlers
# The lock also pins what developers use: it constrains here, and pyproject.toml chooses.
RUN uv venv --python python3 /opt/pachops \
    && uv pip install --no-cache --compile-bytecode --verify-hashes \
        --python /opt/pachops/bin/python --constraint requirements.lock . \
    && find /opt/pachops -type d -name tests -prune -exec rm -rf {} +

FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates git tini \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 pachops \
    && useradd --uid 10001 --gid 10001 --create-home pachops \
    && install --directory --owner=pachops --group=pachops /data
COPY --from=build /opt/pachops /opt/pachops
ENV PATH=/opt/pachops/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PACHOPS_DATA_DIR=/data \
    PACHOPS_WEB_HOST=0.0.0.0 \
    PACHOPS_WEB_PORT=8080
# By number: Kubernetes cannot tell from a name that it is not root.
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-m", "bot.healthy"]
ENTRYPOINT ["tini", "--", "pachops"]
CMD ["serve"]
