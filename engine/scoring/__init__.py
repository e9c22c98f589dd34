"""Scorers: how well pictures show what a prompt says. One small file each, behind one protocol, found by
name.
"""
