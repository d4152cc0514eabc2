# The master, and ffrtmp beside it. `make images` builds it from bin/master; see docs/operations.md.
# The base is Debian or like it, and has the Python that the binary was built by.
ARG BASE=python:3.11-slim

FROM ${BASE} AS unpacked
COPY bin/master /
# What the binary does at its first start, done once for all containers: the binary is not needed any more.
RUN PEX_ROOT=/opt/ffmpeg-rtmp python3 /master --version \
    && python3 -m compileall -q /opt/ffmpeg-rtmp \
    && ln -s /opt/ffmpeg-rtmp/venvs/*/*/*/bin/.. /opt/ffmpeg-rtmp/venv
COPY deploy/docker/start.sh /opt/ffmpeg-rtmp/bin/master
COPY deploy/docker/start.sh /opt/ffmpeg-rtmp/bin/ffrtmp
COPY deploy/docker/healthy-master.py /opt/ffmpeg-rtmp/bin/

FROM ${BASE}
# 10001 is the master, and 10002 the agents of the other image: they may read what is left for them in /join.
RUN groupadd --gid 10001 ffrtmp \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/ffmpeg-rtmp --shell /usr/sbin/nologin ffrtmp \
    && install -d -o 10001 -g 10001 -m 0700 /var/lib/ffmpeg-rtmp \
    && install -d -o 10001 -g 10002 -m 2750 /join
COPY --from=unpacked /opt/ffmpeg-rtmp /opt/ffmpeg-rtmp
# Agents in other containers call it `master`.
ENV PATH=/opt/ffmpeg-rtmp/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/var/lib/ffmpeg-rtmp \
    FFRTMP_STATE_DIR=/var/lib/ffmpeg-rtmp/master \
    FFRTMP_SERVER_NAMES=master
VOLUME /var/lib/ffmpeg-rtmp
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python3", "/opt/ffmpeg-rtmp/bin/healthy-master.py"]
ENTRYPOINT ["master"]
