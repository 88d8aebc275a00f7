"""What `networks.playground` is made of beside the experiment itself."""
