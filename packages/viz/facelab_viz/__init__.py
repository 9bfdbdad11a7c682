"""What we show: a tidy table in, Axes out."""
