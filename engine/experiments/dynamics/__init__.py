"""The experiments of the Dynamics tab."""
