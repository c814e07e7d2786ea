"""One numbered document per completed sale."""
