"""General job queues for Python, in an environment of their own: nothing of ours is there."""
