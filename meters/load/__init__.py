"""meters/load"""
