"""`ffrtmp report`: from results to tables and plots. All but `command`, `source` and the drawing is pure."""
