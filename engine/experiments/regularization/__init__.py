"""The experiments of the Regularization tab."""
