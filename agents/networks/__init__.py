"""Networks: convolutions, value and policy heads, recurrent cores."""
