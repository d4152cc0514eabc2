"""Building, starting, watching and ending ffmpeg."""
