"""What networks.convolution is made of."""
