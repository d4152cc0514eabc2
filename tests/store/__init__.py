"""The journal and the snapshot."""
