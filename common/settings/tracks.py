"""Which tracks of an input go into an output, as what, and which are left out. Pure."""

from __future__ import annotations

from common.settings.containers import CONTAINERS, Container
from common.settings.encode import EncodeSettings
from common.source import AudioTrack, Source, SubtitleTrack

LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}
"""The layouts that sound is encoded in, by their channels: what all encoders and players know."""


def channels(track: AudioTrack) -> int:
    """How many the encoded track has: as many, or the next more that have a layout; 8 at most."""
    return next((count for count in LAYOUTS if count >= track.channels), max(LAYOUTS))


def sounds(settings: EncodeSettings) -> tuple[AudioTrack, ...]:
    """The tracks of the input's sound that go into the output."""
    if settings.source is None or settings.audio == "none":
        return ()
    return settings.source.audio[: CONTAINERS[settings.container].most_audio]


def uncopied(container: str, source: Source) -> str | None:
    """The codec of a track of sound that cannot be copied; None: all can."""
    taken = CONTAINERS[container].copied_audio
    tracks = source.audio[: CONTAINERS[container].most_audio]
    return next((track.codec for track in tracks if taken is not None and track.codec not in taken), None)


def subtitles(settings: EncodeSettings) -> tuple[tuple[SubtitleTrack, str], ...]:
    """Which tracks of the input's subtitles go into the output, each with ffmpeg's encoder (or `copy`)."""
    if settings.source is None or not settings.subtitles:
        return ()
    container = CONTAINERS[settings.container]
    wanted = [(track, _encoder(container, track)) for track in settings.source.subtitles]
    return tuple((track, encoder) for track, encoder in wanted if encoder is not None)


def _encoder(container: Container, track: SubtitleTrack) -> str | None:
    if track.codec in container.copied_subtitles:
        return "copy"
    return container.text if track.text else None


def left_out(settings: EncodeSettings) -> tuple[str, ...]:
    """Sentences that say which tracks of the input the output cannot hold."""
    source = settings.source
    if source is None:
        return ()
    said = []
    silent = 0 if settings.audio == "none" else len(source.audio) - len(sounds(settings))
    if silent:
        said.append(f"{_tracks(silent, 'sound')} left out: {settings.container} holds one")
    unseen = len(source.subtitles) - len(subtitles(settings)) if settings.subtitles else 0
    if unseen:
        kept = {track.number for track, _ in subtitles(settings)}
        codecs = sorted({track.codec for track in source.subtitles if track.number not in kept})
        said.append(
            f"{_tracks(unseen, 'subtitles')} left out: {settings.container} holds no {', '.join(codecs)}"
        )
    return tuple(said)


def _tracks(count: int, what: str) -> str:
    return f"a track of {what} was" if count == 1 else f"{count} tracks of {what} were"
