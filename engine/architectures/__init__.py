"""Architectures of networks: layers, blocks and forks, measured, drawn and written as PyTorch.

`layers` says what each layer makes of a shape, `graph` how they hang together, `measuring` what they cost; `blocks`
and `library` are the chapter's and the literature's, `notation` reads the user's own, `torch_module` writes
an nn.Module, and `sketch` is what a drawing needs to know.
"""
