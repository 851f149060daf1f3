"""The one door of this app to the library: a module for each part."""
