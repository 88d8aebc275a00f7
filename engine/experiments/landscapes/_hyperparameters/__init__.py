"""What `landscapes.hyperparameters` is made of beside the experiment itself."""
