"""The parties as they are started and stopped: meters, head-end, SMT, the sandbox of them; how they find each other."""
