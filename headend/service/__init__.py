"""The head-end as others see it: its HTTP service, its health, its metrics, its examples. Decides nothing of its own."""
