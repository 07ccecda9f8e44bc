"""One outside system each; they translate calls and errors and decide nothing."""
