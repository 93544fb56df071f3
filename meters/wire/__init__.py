"""meters/wire"""
