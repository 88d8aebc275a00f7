"""Views of the experiments on regularization."""
