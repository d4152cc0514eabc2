# An agent, with its ffmpeg. `make images` builds it from bin/agent; see docs/operations.md.
# The base is Debian or like it, and has the Python that the binary was built by.
ARG BASE=python:3.11-slim

FROM ${BASE} AS unpacked
COPY bin/agent /
# What the binary does at its first start, done once for all containers: the binary is not needed any more.
RUN PEX_ROOT=/opt/ffmpeg-rtmp python3 /agent --version \
    && python3 -m compileall -q /opt/ffmpeg-rtmp \
    && ln -s /opt/ffmpeg-rtmp/venvs/*/*/*/bin/.. /opt/ffmpeg-rtmp/venv
COPY deploy/docker/start.sh /opt/ffmpeg-rtmp/bin/agent
COPY deploy/docker/healthy-agent.py /opt/ffmpeg-rtmp/bin/

FROM ${BASE}
# bubblewrap keeps ffmpeg from network and files. A base that has it needs no network here.
# Its newest is wanted, from whichever distribution the base is of: it is a wall.
# hadolint ignore=DL3008
RUN command -v bwrap >/dev/null \
    || (apt-get update && apt-get install -y --no-install-recommends bubblewrap && rm -rf /var/lib/apt/lists/*)
RUN groupadd --gid 10002 ffrtmp-agent \
    && useradd --uid 10002 --gid 10002 --no-create-home --home-dir /var/lib/ffmpeg-rtmp --shell /usr/sbin/nologin ffrtmp-agent \
    && install -d -o 10002 -g 10002 -m 0750 /var/lib/ffmpeg-rtmp
COPY --from=unpacked /opt/ffmpeg-rtmp /opt/ffmpeg-rtmp
ENV PATH=/opt/ffmpeg-rtmp/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/var/lib/ffmpeg-rtmp \
    FFRTMP_STATE_DIR=/var/lib/ffmpeg-rtmp/agent \
    FFRTMP_WORK_DIR=/var/lib/ffmpeg-rtmp/work
VOLUME /var/lib/ffmpeg-rtmp
USER 10002:10002
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python3", "/opt/ffmpeg-rtmp/bin/healthy-agent.py"]
ENTRYPOINT ["agent"]
