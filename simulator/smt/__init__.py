"""Smart Meter Texas: file intake, usage store, registry, market and portal API, throttle, on-demand life cycle and its ledger."""
