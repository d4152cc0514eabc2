"""Proofs of the file store: the master's, and what agents and operators do with it."""
