"""Numbered examples of the Python client; each runs as a test."""
