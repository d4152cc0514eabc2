"""Live streams: RTMP(S) and SRT, out and in. What speaks to servers here never decodes or encodes."""
