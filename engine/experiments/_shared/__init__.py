"""What experiments of several tabs have in common."""
