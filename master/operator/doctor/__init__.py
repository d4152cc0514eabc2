"""`ffrtmp doctor`: what is wrong with this machine, or on the way to the master, and what to do."""
