"""First-run set-up: the standard library only, so that a bare Python can import it."""
