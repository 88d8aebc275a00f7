"""What `schedules.range_test` is made of: settings, curvature, suggestions, putting back, pictures, script."""
