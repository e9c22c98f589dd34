"""The studio as a Hugging Face Space: `folder` writes one that is ready, `start` runs in it, `slices` cuts
runs for ZeroGPU.
"""
