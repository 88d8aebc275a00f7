"""What `dynamics.double_descent` is made of beside the experiment itself."""
