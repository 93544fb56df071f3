"""meters/kernels"""
