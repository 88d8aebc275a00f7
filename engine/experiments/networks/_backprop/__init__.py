"""What `networks.backprop` is made of beside the experiment itself."""
