"""Models that edit a picture as they are told, of InstructPix2Pix's class (arXiv 2211.09800)."""
