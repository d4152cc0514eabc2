"""Faults of the network, made by a proxy of ours."""
