"""3D references found by words or by a picture (Phidias, arXiv 2409.11406, 3.4): shelves, embeddings,
search.
"""
