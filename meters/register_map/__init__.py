"""meters/register_map"""
