# SPDX-License-Identifier: GPL-2.0-or-later
"""The bench's parts; tests/bench/run puts them together.

  stats   medians, ratios pass by pass, spread: arithmetic only
  bars    what has to be reached, from bars.tsv
  proc    CPU time and memory of processes
  world   two namespaces and the link between them
  debs    Debian packages of the peers
  build   this tree, as a release is built
  cases   one measurement of one tunnel
  peer    what every peer has
  report  tables, JSON, the block in docs/benchmarks.md
  plot    the SVG
"""
