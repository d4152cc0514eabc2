"""What a stream in pieces is made of, and how several of them become one that players can switch in."""
