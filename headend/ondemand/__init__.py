"""The on-demand read: the gap, the process, its live port, the desk that keeps inquiries, the answer on the wire."""
