"""How good an output is, measured against its source."""
