"""Experiments on optimizer landscapes (chapter 10.2)."""
