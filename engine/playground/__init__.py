"""The playground: one flat picture under every guidance method at several guidance scales, side by side.

``grid`` says what is compared, ``painting`` runs one cell through the same loop as everything else,
``archive`` keeps finished cells on disk, ``sheet`` and ``numbers`` show them. Nothing here knows torch, a
page or a command line.
"""
