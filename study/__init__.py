"""The study platform: one question, one space file, one run."""
