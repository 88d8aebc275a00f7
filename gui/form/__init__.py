"""The settings of an experiment as controls, built from their declarations alone."""

from gui.form.form import Form

__all__ = ["Form"]
