"""One file over many machines, the agent's half: where an input is divided, and what chunks are made of."""
