"""What networks.gradient_flow is made of."""
