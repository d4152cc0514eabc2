"""What is told as it happens: events, progress, and the logs of jobs, each to whom it concerns."""

from master.live.events import PROGRESS, EventStream, Filter
from master.live.hub import Hub
from master.live.logs import LogStream
from master.live.progress import Report
from master.live.sse import MEDIA_TYPE

__all__ = ["MEDIA_TYPE", "PROGRESS", "EventStream", "Filter", "Hub", "LogStream", "Report"]
