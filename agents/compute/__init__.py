"""How gradients are computed: precision, threads, optimizer, weight averaging."""
