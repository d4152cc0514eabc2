"""One file over many machines, the agent's half: where an input is divided, and what its chunks see."""
