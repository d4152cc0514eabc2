"""Tests of the agent: real ffmpegs, real processes, real files."""
