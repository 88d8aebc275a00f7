"""Views of the landscapes tab."""
