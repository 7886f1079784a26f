"""Machines that look for what breaks Headrace: bytes.py at its decoders and pipelines, api.py at its HTTP surface."""
