"""reports/commands"""
