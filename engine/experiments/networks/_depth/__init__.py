"""What networks.depth is made of."""
