"""What `networks.activations` is made of beside the experiment itself."""
