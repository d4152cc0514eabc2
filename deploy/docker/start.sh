#!/bin/sh
# Starts the program of the unpacked binary that this file is named after. Not the binary's own way in: that notes
# each start in a file, and nothing below /opt can be written to.
case ${0##*/} in
    master) module=master.cli ;;
    ffrtmp) module=master.operator.cli ;;
    agent) module=agent.cli ;;
    *) echo "$0: no program has this name" >&2; exit 2 ;;
esac
exec /opt/ffmpeg-rtmp/venv/bin/python -I -c "from $module import main; main(prog_name='${0##*/}')" "$@"
