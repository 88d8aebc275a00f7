"""What `landscapes.minibatch` is made of beside the experiment itself."""
