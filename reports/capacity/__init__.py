"""reports/capacity"""
