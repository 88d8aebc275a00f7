"""Networks: what one is (`description`), its activations and initialisations, the compiled MLP, the torch networks."""
