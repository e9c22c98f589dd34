"""Latent diffusion models of Stable Diffusion's class: pictures go through a VAE, words through CLIP."""
