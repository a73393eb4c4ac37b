"""The network: one encoder, one decoder, and attention that picks each task's features."""
