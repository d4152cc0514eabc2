"""What master and agent share: the vocabulary, the wire, the client."""
