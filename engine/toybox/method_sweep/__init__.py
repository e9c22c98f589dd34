"""The comparison of guidance methods: every method on both scenes, at its best setting and at high
guidance.
"""
