"""The agent: takes jobs, runs ffmpeg, reports."""
