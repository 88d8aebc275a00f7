"""The window: everything that needs Qt. The engine below never imports from here."""
