"""Parts of dynamics.surface."""
