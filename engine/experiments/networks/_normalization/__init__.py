"""What networks.normalization is made of."""
