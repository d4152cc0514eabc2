"""One file over many machines, on the agent's side."""
