"""The catalogue as a CSV file: written for a spreadsheet, and read from one."""
