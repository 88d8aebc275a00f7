"""Views of the tab Dynamics."""
