"""A real master, real agents, real ffmpeg."""
