"""Pixel diffusion models of DeepFloyd IF's class: no VAE, words through T5."""
