"""What market and portal API share: what is asked and told of usage, premise, refusals. Knows neither door."""
