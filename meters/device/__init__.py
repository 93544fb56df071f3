"""meters/device"""
