"""Reports of studies: HTML, Markdown and LaTeX, from the ledger alone."""

from study.report.writing import write_report as write_report

__all__ = ["write_report"]
