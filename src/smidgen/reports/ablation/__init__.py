"""An ablation on one page: what helped, how sure that is, and where it comes from."""
