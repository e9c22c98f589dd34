"""A 3D reference that guides a multi-view prior: its maps, the controller that reads them, and how strongly
it acts (Phidias).
"""
