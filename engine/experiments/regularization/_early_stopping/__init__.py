"""What `regularization.early_stopping` is made of beside the experiment itself."""
