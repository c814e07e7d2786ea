"""Giving back a sold sale, whole or in parts: money the way it came, goods back to the shelf."""
