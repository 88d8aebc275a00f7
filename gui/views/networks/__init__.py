"""Views of the tab Networks."""
