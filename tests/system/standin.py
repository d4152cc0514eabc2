"""An ffmpeg that does all that the real one does, until it is told to misbehave in a job."""

from __future__ import annotations

from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]  # it publishes no type information

_SCRIPT = """\
#!/bin/sh
case " $* " in
*" -encoders "*) "{real}" "$@" | grep " libx264 "; exit ;;
*" -progress "*) if [ -e "{order}" ]; then . "{order}"; fi ;;
esac
exec "{real}" "$@"
"""

CRASH = "kill -SEGV $$"
OUT_OF_MEMORY = "kill -KILL $$"
"""What the kernel does to it."""
HALF_THE_FRAMES = """\
n=$#
while [ $n -gt 0 ]; do
    if [ "$last" = -frames:v ]; then set -- "$@" $(($1 / 2)); else set -- "$@" "$1"; fi
    last=$1; shift; n=$((n - 1))
done
"""
FLOOD = "yes 'nothing but noise' | head -c 150000000 >&2"
"""150 MB on stderr, before it encodes: five times as much as an agent may need more for that."""


class StandIn:
    """The program is at `path`."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "stand-in"
        self._order = folder / "order"
        script = _SCRIPT.format(real=imageio_ffmpeg.get_ffmpeg_exe(), order=self._order)
        self.path.write_text(script)
        self.path.chmod(0o755)

    def misbehave_once(self, how: str) -> None:
        """In the next job it runs these lines of shell first."""
        self._order.write_text(f'rm "{self._order}"\n{how}\n')

    @property
    def has_misbehaved(self) -> bool:
        return not self._order.exists()
