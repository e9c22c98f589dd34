"""Edits of finished things: a mesh gets a texture from words (`texturing`); the source is never written
over.
"""
