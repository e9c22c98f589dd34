"""A 3D reference that guides a run: where its files are, how strongly it acts, and what it says in drafts and
steps.
"""
