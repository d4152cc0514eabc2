"""Disks that fail, fill up, and stop taking writes; and kills in the middle of a write."""
