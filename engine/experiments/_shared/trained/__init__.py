"""What experiments that train one small compiled network have in common: settings, model, pictures, script."""
