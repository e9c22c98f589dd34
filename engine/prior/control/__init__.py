"""ControlNets (arXiv 2302.05543): a frozen latent prior that also sees the depth or the normals of the scene
it judges.
"""
