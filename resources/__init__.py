"""Holds what ships beside the code: icons, themes and presets."""
