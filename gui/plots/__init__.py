"""The plots: they take arrays and know no experiment.

Curves (lines against the step), Field (a map with paths), Surface3D (the same surface in space), Panel (several of
them as one picture), export and gif (pictures to take home), render (pictures without a window).
"""
