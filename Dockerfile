# pachops' own image. It works through a Docker Engine and builds nothing itself: give it one by
# DOCKER_HOST, or mount the socket and add the socket's group (docker run --group-add).

FROM python:3.11-slim-bookworm AS build
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /src
COPY pyproject.toml requirements.lock README.md ./
COPY bot bot
COPY handlers handlers
# The lock also pins what developers use: it constrains here, and pyproject.toml chooses.
RUN uv venv /opt/pachops \
    && uv pip install --no-cache --compile-bytecode --verify-hashes \
        --python /opt/pachops/bin/python --constraint requirements.lock .

FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates git tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home pachops \
    && install -d -o pachops -g pachops /data
COPY --from=build /opt/pachops /opt/pachops
ENV PATH=/opt/pachops/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PACHOPS_DATA_DIR=/data
USER pachops
WORKDIR /data
VOLUME /data
ENTRYPOINT ["tini", "--", "pachops"]
