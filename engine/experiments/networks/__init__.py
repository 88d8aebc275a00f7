"""The experiments of the Networks tab."""
