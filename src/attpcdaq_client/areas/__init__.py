"""The API by area: models, calls, and a class each with a method for every call."""
