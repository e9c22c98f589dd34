"""What priors have in common that are shown a picture of the object: an image encoder, and what is kept of
the picture.
"""
