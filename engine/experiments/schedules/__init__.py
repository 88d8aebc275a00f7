"""The experiments of the Schedules tab."""
