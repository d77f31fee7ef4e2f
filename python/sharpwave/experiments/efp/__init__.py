"""Error forward-propagation and equilibrium propagation on images: two data sets, and many ways to nudge."""
