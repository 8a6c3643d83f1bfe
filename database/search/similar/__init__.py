"""Movies that are like one, or like several."""
