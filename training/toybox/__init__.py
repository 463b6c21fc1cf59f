"""Toybox: a small text-to-image model in the Stable Diffusion layout, trained from nothing on painted scenes."""
