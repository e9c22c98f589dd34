"""Rectified-flow models in latent space, turned into our convention at the border: SD3's class and Sana."""
