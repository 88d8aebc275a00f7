"""What networks.architectures is made of."""
