"""What `regularization.weight_decay` is made of beside the experiment itself."""
